//! Just enough of a JSON reader for the vectors, so that the crate needs no other crate, and its lock file
//! no registry. It trusts its input: the vectors are also read by a real parser, in TypeScript.

/// A JSON value; numbers are the vectors' small counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(u32),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn parse(text: &str) -> Json {
        Reader { bytes: text.as_bytes(), at: 0 }.value()
    }

    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(fields) = self else { panic!("{self:?} is no object") };
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn at(&self, name: &str) -> &Json {
        self.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn text(&self) -> &str {
        let Json::String(text) = self else { panic!("{self:?} is no string") };
        text
    }

    pub fn number(&self) -> u32 {
        let Json::Number(number) = self else { panic!("{self:?} is no number") };
        *number
    }

    pub fn items(&self) -> &[Json] {
        let Json::Array(items) = self else { panic!("{self:?} is no array") };
        items
    }

    pub fn fields(&self) -> &[(String, Json)] {
        let Json::Object(fields) = self else { panic!("{self:?} is no object") };
        fields
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Json {
        match self.token() {
            b'{' => Json::Object(self.list(b'}', |reader| {
                reader.token();
                let key = reader.string();
                assert_eq!(reader.token(), b':');
                (key, reader.value())
            })),
            b'[' => Json::Array(self.list(b']', Reader::value)),
            b'"' => Json::String(self.string()),
            b't' => self.word(3, Json::Bool(true)),
            b'f' => self.word(4, Json::Bool(false)),
            b'n' => self.word(3, Json::Null),
            _ => self.number(),
        }
    }

    fn token(&mut self) -> u8 {
        while self.bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        self.at += 1;
        self.bytes[self.at - 1]
    }

    fn list<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        while self.token() != end {
            if self.bytes[self.at - 1] != b',' {
                self.at -= 1;
            }
            items.push(item(self));
        }
        items
    }

    fn string(&mut self) -> String {
        let mut bytes = Vec::new();
        loop {
            self.at += 1;
            match self.bytes[self.at - 1] {
                b'"' => return String::from_utf8(bytes).expect("UTF-8"),
                b'\\' => bytes.extend_from_slice(self.escape().to_string().as_bytes()),
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self) -> char {
        self.at += 1;
        match self.bytes[self.at - 1] {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                self.at += 4;
                let digits = str::from_utf8(&self.bytes[self.at - 4..self.at]).expect("hex");
                char::from_u32(u32::from_str_radix(digits, 16).expect("hex")).expect("no surrogates")
            }
            byte => char::from(byte),
        }
    }

    fn word(&mut self, rest: usize, value: Json) -> Json {
        self.at += rest;
        value
    }

    fn number(&mut self) -> Json {
        let digits = self.bytes[self.at - 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = str::from_utf8(&self.bytes[self.at - 1..self.at - 1 + digits]).expect("digits");
        self.at += digits - 1;
        Json::Number(text.parse().expect("a number"))
    }
}
