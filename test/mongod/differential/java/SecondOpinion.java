import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * Starts mongo-java-server on a free port and prints its connection string. It ends when standard input does,
 * so it never outlives the test that started it.
 */
public final class SecondOpinion {

    /** The newest version it knows announces too low a wire version for the driver, which asks for 9. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    };

    public static void main(String[] arguments) throws Exception {
        MongoServer server = new MongoServer(new MemoryBackend().version(VERSION));
        System.out.println(server.bindAndGetConnectionString());
        while (System.in.read() >= 0) {
            // Only the end of the input matters.
        }
        server.shutdownNow();
    }
}
