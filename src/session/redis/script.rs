//! What Redis is asked to do, each in one step that nothing comes between.
//!
//! A session is a hash: `v` the sealed value, `x` the second at which it has lain unused for too long,
//! `e` the second at which it ends whatever happens; `c:…` the sealed cookies of backends, `n` how often
//! they changed. Indexes are sets sorted by `e`, so that what has
//! ended falls out of them. Keys are names of hashes: Redis learns neither ids, nor subjects, nor tenants.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{Cmd, cmd};

use crate::session::key::Digest;

/// What every key begins with.
const NAMESPACE: &str = "vestibule";

/// What a key names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A session.
    Session,
    /// Sessions by one of their issuer's names for them, or by tenant.
    Index,
    /// What was used once.
    Used,
    /// A lease.
    Lease,
    /// What was left for other instances.
    Left,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Session => 's',
            Self::Index => 'i',
            Self::Used => 'u',
            Self::Lease => 'l',
            Self::Left => 'o',
        }
    }

    /// The key of `name`.
    pub(super) fn key(self, name: &Digest) -> String {
        format!("{NAMESPACE}:{}:{}", self.letter(), text(name))
    }

    /// What its keys begin with.
    pub(super) fn prefix(self) -> String {
        format!("{NAMESPACE}:{}:", self.letter())
    }
}

/// Denials in the order in which they were told.
pub(super) const DENIALS: &str = "vestibule:d";
/// Denials by the second from which on they do not matter.
pub(super) const DENIALS_BY_END: &str = "vestibule:e";

/// A name as it stands in keys.
pub(super) fn text(name: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(name.0)
}

/// The name that [`text`] wrote.
pub(super) fn name(text: &str) -> Option<Digest> {
    let mut bytes = [0; 32];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (length == bytes.len()).then_some(Digest(bytes))
}

/// A call of `script`.
pub(super) fn call(script: &str, keys: &[String]) -> Cmd {
    let mut call = cmd("EVAL");
    call.arg(script).arg(keys.len()).arg(keys);
    call
}

/// A session that has not ended, whose idle time begins again.
/// Keys: session. Arguments: now, idle limit, grace of the time to live; seconds.
pub(super) const FIND: &str = r"
local s = redis.call('HMGET', KEYS[1], 'v', 'x', 'e')
local now = tonumber(ARGV[1])
if not s[1] or now >= tonumber(s[2]) or now >= tonumber(s[3]) then return false end
local x = math.min(now + tonumber(ARGV[2]), tonumber(s[3]))
redis.call('HSET', KEYS[1], 'x', string.format('%.0f', x))
redis.call('EXPIRE', KEYS[1], string.format('%.0f', x - now + tonumber(ARGV[3])))
return s[1]";

/// Keeps a session and says whether it did.
/// Keys: session, then its indexes. Arguments: mode, value, now, x, e, grace, name in indexes. The mode is
/// `new` (whatever was there), `absent` (only where nothing is) or `present` (only where one is).
pub(super) const KEEP: &str = r"
local mode, now, x, e = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local there = redis.call('HGET', KEYS[1], 'x')
if mode == 'absent' and there then return 0 end
if mode == 'present' and (not there or now >= tonumber(there) or now >= e) then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'x', ARGV[4], 'e', ARGV[5])
redis.call('EXPIRE', KEYS[1], string.format('%.0f', x - now + tonumber(ARGV[6])))
local life = e - now + tonumber(ARGV[6])
for i = 2, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', ARGV[3])
  redis.call('ZADD', KEYS[i], ARGV[5], ARGV[7])
  if redis.call('TTL', KEYS[i]) < life then redis.call('EXPIRE', KEYS[i], string.format('%.0f', life)) end
end
return 1";

/// What both scripts about cookies of backends give: `n`, then every cookie.
const COOKIES: &str = r"
local function cookies(key)
  local given = {redis.call('HGET', key, 'n') or '0'}
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'c:' then given[#given + 1] = all[i + 1] end
  end
  return given
end
";

/// The cookies of backends in a session. Keys: session.
const JAR: &str = r"
return cookies(KEYS[1])";

/// Changes the cookies of backends in a session that has not ended; gives them all, or nothing.
/// Keys: session. Arguments: now, the `n` that is known, how many fields there may be, how many cookies are
/// set; then field and value of each that is set, and the fields of those that go.
const RECEIVE: &str = r"
local s = redis.call('HMGET', KEYS[1], 'x', 'e', 'n')
local now = tonumber(ARGV[1])
if not s[1] or now >= tonumber(s[1]) or now >= tonumber(s[2]) then return {} end
local sets = 2 * tonumber(ARGV[4])
for i = 5 + sets, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
for i = 5, 4 + sets, 2 do
  if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[3]) or redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
local n = math.max(s[3] and tonumber(s[3]) or 0, tonumber(ARGV[2])) + 1
redis.call('HSET', KEYS[1], 'n', string.format('%.0f', n))
return cookies(KEYS[1])";

/// Tells a denial. The order is that of the server's clock, in microseconds, and never goes back; denials
/// that do not matter any more are dropped.
const TELL: &str = r"
local function tell(list, ends, denial, till, now)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', ends, old)
    redis.call('ZREM', list, old)
  end
  local time = redis.call('TIME')
  local place = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local last = redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES')[2]
  if last and tonumber(last) >= place then place = tonumber(last) + 1 end
  redis.call('ZADD', list, string.format('%.0f', place), denial)
  redis.call('ZADD', ends, till, denial)
  local life = tonumber(till) - tonumber(now) + 60
  for _, key in ipairs({list, ends}) do
    if redis.call('TTL', key) < life then redis.call('EXPIRE', key, string.format('%.0f', life)) end
  end
end
";

/// Keys: denials, denials by end. Arguments: denial, until, now.
const DENY: &str = r"
tell(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
return 1";

/// Ends sessions by name and says how many there were.
/// Keys: denials, denials by end. Arguments: prefix of sessions, what follows a name in a denial, until,
/// now; then the names.
const END: &str = r"
local ended = 0
for i = 5, #ARGV do
  ended = ended + redis.call('DEL', ARGV[1] .. ARGV[i])
  tell(KEYS[1], KEYS[2], ARGV[i] .. ARGV[2], ARGV[3], ARGV[4])
end
return ended";

/// Ends the sessions that are in every one of some indexes, up to a thousand at a time; how many names were
/// found, and how many of them were sessions still.
/// Keys: denials, denials by end, then the indexes. Arguments: as above, without names.
const END_INDEXED: &str = r"
local found, ended, at = 0, 0, 0
repeat
  local names = redis.call('ZRANGE', KEYS[3], at, at + 999)
  for _, name in ipairs(names) do
    local all = true
    for i = 4, #KEYS do all = all and redis.call('ZSCORE', KEYS[i], name) end
    if all then
      found = found + 1
      ended = ended + redis.call('DEL', ARGV[1] .. name)
      tell(KEYS[1], KEYS[2], name .. ARGV[2], ARGV[3], ARGV[4])
      for i = 3, #KEYS do redis.call('ZREM', KEYS[i], name) end
    else
      at = at + 1
    end
  end
until #names < 1000 or found >= 1000
return {found, ended}";

/// Deletes a key if it holds what is said. Keys: key. Arguments: value.
pub(super) const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

/// The script that gives the cookies of backends.
pub(super) fn jar() -> String {
    [COOKIES, JAR].concat()
}

/// The script that changes the cookies of backends.
pub(super) fn receive() -> String {
    [COOKIES, RECEIVE].concat()
}

/// The script that tells a denial.
pub(super) fn deny() -> String {
    [TELL, DENY].concat()
}

/// The script that ends sessions by name.
pub(super) fn end() -> String {
    [TELL, END].concat()
}

/// The script that ends sessions by indexes.
pub(super) fn end_indexed() -> String {
    [TELL, END_INDEXED].concat()
}
