/**
 * The counter of one caller (`rate-limit/counter.ts`) as a script: what it decides is the same, to the millisecond, which a test
 * shows by asking both the same. In Redis, because a decision and its charge must be one step among all edges: read by one, decided
 * there and put back, each charge would wait for those of all others who read the same.
 *
 * The state is one text of JSON in one key, so that what Redis loses it loses whole. It expires when nothing of it counts any
 * more. Arguments: the question; a first lease, at random; the first days of the months around now.
 */
import { clockOfRedis } from './redis.ts';
import { leaseLimits } from '../rate-limit/counter.ts';
import { dayMs, daysKept } from '../rate-limit/days.ts';
import { slotLimits } from '../rate-limit/slots.ts';
import { momentsMax } from '../rate-limit/spent-log.ts';

const { share, msMax, partOfWindow, settleMsMax, unsettledMs, entriesMax } = leaseLimits;

export const counterScript = `${clockOfRedis}
local ask = cjson.decode(ARGV[1])
local kept = redis.call('GET', KEYS[1])
local state = kept and cjson.decode(kept) or { now = 0, last = tonumber(ARGV[2]), logs = {}, leases = {}, days = {}, slots = {} }
now = math.max(now, state.now)
local today = math.floor(now / ${dayMs})
local months = cjson.decode(ARGV[3])
local first, over = months[1], months[2]
for i = 1, #months - 1 do if today >= months[i] then first, over = months[i], months[i + 1] end end
local quota = ask.days and ask.days.quota

local function logOf(seconds)
  local name = string.format('%d', seconds)
  local log = state.logs[name] or {}
  state.logs[name] = log
  return log
end
local function usedIn(window)
  local log, live, used = logOf(window.seconds), {}, 0
  for _, entry in ipairs(log) do
    if entry[1] > now - window.seconds * 1000 then
      live[#live + 1] = entry
      used = used + entry[2]
    end
  end
  state.logs[string.format('%d', window.seconds)] = live
  return used
end
local function freedAfter(seconds, amount)
  local freed = 0
  for _, entry in ipairs(logOf(seconds)) do
    freed = freed + entry[2]
    if freed >= amount and freed > 0 then return math.max(1, entry[1] + seconds * 1000 - now) end
  end
  return seconds * 1000
end
local function momentOf(window, at)
  local quantum = window.limit <= ${entriesMax} and 1 or math.ceil(window.seconds * 1000 / ${entriesMax})
  return math.ceil(at / quantum) * quantum
end
local function charge(window, at, amount)
  local log, moment = logOf(window.seconds), momentOf(window, at)
  local place = #log
  while place > 0 and log[place][1] > moment do place = place - 1 end
  if place > 0 and log[place][1] == moment then log[place][2] = log[place][2] + amount
  else table.insert(log, place + 1, { moment, amount }) end
end
local function take(window, at, amount)
  local moment = momentOf(window, at)
  for _, entry in ipairs(logOf(window.seconds)) do
    if entry[1] == moment then
      local taken = math.min(amount, entry[2])
      entry[2] = entry[2] - taken
      return taken
    end
  end
  return 0
end
local function count(day, kind, amount)
  if amount == 0 then return end
  for name in pairs(state.days) do if tonumber(name) <= day - ${daysKept} then state.days[name] = nil end end
  local name = string.format('%d', day)
  local spent = state.days[name] or {}
  state.days[name] = spent
  spent[kind] = (spent[kind] or 0) + amount
end
local function usedInMonth()
  local used = 0
  for name, spent in pairs(state.days) do
    local day = tonumber(name)
    if day >= first and day < over then for kind, amount in pairs(spent) do if kind ~= 'told' then used = used + amount end end end
  end
  return used
end

local underWay = ask.underWay
local begins = underWay and underWay.does == 'begin'
-- Kept by an edge that knew of none.
state.slots = state.slots or {}
for id, slot in pairs(state.slots) do if slot[2] <= now then state.slots[id] = nil end end
if underWay then
  local id = string.format('%.0f', underWay.id)
  if underWay.does == 'end' then state.slots[id] = nil
  elseif not begins then state.slots[id] = { (state.slots[id] or { now })[1], now + ${slotLimits.msMax} } end
end
local underWayNow, youngest = 0, math.huge
for _, slot in pairs(state.slots) do
  underWayNow = underWayNow + 1
  youngest = math.min(youngest, now - slot[1])
end

for name, lease in pairs(state.leases) do if lease.endsAt + ${settleMsMax} < now then state.leases[name] = nil end end
for _, settlement in ipairs(ask.settled) do
  local name = string.format('%.0f', settlement.lease)
  local lease, total = state.leases[name], settlement.unused
  for _, moment in ipairs(settlement.spent) do total = total + moment[2] end
  if lease and total == lease.block and #settlement.spent <= ${momentsMax} then
    state.leases[name] = nil
    for _, window in ipairs(lease.windows) do
      if take(window, lease.endsAt, lease.block) == lease.block then
        for _, moment in ipairs(settlement.spent) do charge(window, math.min(lease.grantedAt + moment[1], lease.endsAt), moment[2]) end
      end
    end
    if lease.day then
      local settled = settlement.unused
      for kind, amount in pairs(settlement.kinds or {}) do
        settled = settled + amount
        count(lease.day, kind, amount)
      end
      count(lease.day, 'unsettled', -settled)
    end
  end
end

local left, least, shortest = {}, math.huge, math.huge
for i, window in ipairs(ask.windows) do
  left[i] = window.limit - usedIn(window)
  shortest = math.min(shortest, window.seconds * 1000)
end
if quota then left[#left + 1] = quota - usedInMonth() end
for _, room in ipairs(left) do least = math.min(least, room) end
local answer = { granted = 0, lease = 0, leaseMs = 0, windows = {}, retryMs = 0, vainMs = 0 }
local function stand(spent)
  for i, room in ipairs(left) do
    local window = ask.windows[i]
    local reset = over * ${dayMs} - now
    if window then reset = math.min(freedAfter(window.seconds, 1), window.seconds * 1000) end
    answer.windows[i] = { left = math.max(0, room - spent), resetMs = reset, violated = false }
  end
end

if least < ask.cost then
  stand(0)
  for i, standing in ipairs(answer.windows) do
    standing.violated = left[i] < ask.cost
  end
  local function waitFor(units)
    local ms = 0
    for i, standing in ipairs(answer.windows) do
      local window, lacking = ask.windows[i], units - left[i]
      if lacking > 0 then ms = math.max(ms, window and freedAfter(window.seconds, lacking) or standing.resetMs) end
    end
    return ms
  end
  answer.retryMs, answer.vainMs = waitFor(ask.cost + (ask.paid or 0)), waitFor(ask.cost)
  for _, lease in pairs(state.leases) do
    answer.vainMs = math.min(answer.vainMs, math.max(lease.endsAt - now, ${unsettledMs}))
  end
elseif begins and underWayNow >= underWay.max then
  stand(0)
  answer.retryMs = math.min(math.max(youngest, ${slotLimits.retryMsMin}), ${slotLimits.retryMsMax})
  answer.isFull = true
else
  local block = math.max(ask.cost, math.min(ask.want, math.floor(least * ${share})))
  local leaseMs = math.min(${msMax}, shortest * ${partOfWindow})
  answer.granted = ask.cost
  if block > ask.cost and (not ask.days or math.floor((now + leaseMs) / ${dayMs}) == today) then
    local lease = { windows = ask.windows, block = block, grantedAt = now, endsAt = now + leaseMs, day = ask.days and today or nil }
    for _, window in ipairs(ask.windows) do charge(window, lease.endsAt, block) end
    if ask.days then count(today, 'unsettled', block) end
    state.last = state.last + 1
    state.leases[string.format('%.0f', state.last)] = lease
    answer.granted, answer.lease, answer.leaseMs = block, state.last, leaseMs
  elseif ask.cost > 0 then
    for _, window in ipairs(ask.windows) do charge(window, now, ask.cost) end
    if ask.days then count(today, ask.days.kind, ask.cost) end
  end
  stand(answer.granted)
end
if begins then
  if answer.granted > 0 then
    local id = string.format('%.0f', underWay.id)
    if not state.slots[id] then underWayNow = underWayNow + 1 end
    state.slots[id] = { now, now + ${slotLimits.msMax} }
  end
  answer.free = math.max(0, underWay.max - underWayNow)
end
if quota then
  local used, told = usedInMonth(), (state.days[string.format('%d', first)] or {}).told or 0
  local share = used >= quota and 100 or used >= quota * 0.8 and 80 or 0
  if share > told then
    count(first, 'told', share - told)
    answer.share = share
  end
end

if answer.granted > 0 or answer.share or #ask.settled > 0 or (underWay and not begins) then
  local ends = now + 1
  for name, log in pairs(state.logs) do
    local last = #log > 0 and log[#log][1] + tonumber(name) * 1000 or 0
    if last <= now then state.logs[name] = nil end
    ends = math.max(ends, last)
  end
  for _, lease in pairs(state.leases) do ends = math.max(ends, lease.endsAt + ${settleMsMax}) end
  for _, slot in pairs(state.slots) do ends = math.max(ends, slot[2]) end
  for name in pairs(state.days) do ends = math.max(ends, (tonumber(name) + ${daysKept}) * ${dayMs}) end
  state.now = now
  redis.call('SET', KEYS[1], cjson.encode(state), 'PX', string.format('%.0f', math.ceil(ends - now)))
end
return cjson.encode(answer)
`;
