// Writes patterns.jsonl beside it: what JavaScript itself says about patterns, targets and URLs.
// Run `node tests/cases/patterns.mjs` after changing a table; the tests only read the result.
//
// One object a line: `source`, `icase`, `target`, and either `error` (the pattern is none) or `expect`,
// for each URL `groups` (null where it does not match) and `rewritten`.
import { writeFileSync } from "node:fs";

const urls = [
  "/", "/a", "/ab", "/aab", "/abc", "/a/b", "/a/b/c", "/A/B", "/a//b", "/aa/aa", "/ab/ab", "/abab", "/aaa", "/b",
  "/api/v1/Books(1)?$expand=a($select=b)", "/x.y/z-1_2~3", "/svc?redirect=/api/a", "/a?b=c&d=e", "/a??", "/123/456",
  "/-/_/~", "/a{2}/[x]", "/\\d/^$", "/p{L}/uuuu", "/k<n>", "/\u00fc/\u00dc/\u00df", "/\u017f/\u212a/s/k", "/\u2028/\n/x", "/a b\tc",
];

// [what it shows, source, flags, targets]
const tables = [
  ["anchors", ["^/a", "/a$", "^/a$", "^$", "a^b", "a$b", "$", "^", "(^/a)|b$", "(?:^|/)b", "b(?:$|/)"]],
  ["dot and lines", [".", "^.*$", "(.*)$", "(.+)$", "^/(.*)$", "^/(.+)$", "^/(.*)", ".*x$", "/\\n", "[^]", "[^]*x$", "[]", "a[]|b", "x|[]"]],
  ["literals", ["/a/b", "^/a/(.*)$", "^/a/(.+)$", "^/a(.*)", "(/a)(/b)", "^(/a/.*)$", "^/(a/(.*))$", "((((a))))", "()(a)()", "^(.*)$", "^(.*)()$", "/a()", "(/)?a"]],
  ["greed", ["^/(a*)(.*)$", "^/(a*?)(.*)$", "^/(a+?)(.*?)$", "^/(a?)(.*)$", "^/(a??)(.*)$", "^/a{2}(.*)$", "^/a{1,2}?(.*)$", "^/a{0}(.*)", "^/(a{0})(.*)", "a{1,}", "(a|ab)(c|bcd)?(.*)", "^/(?:a|ab)(.*)$", "^/([^/]*)/([^?]*)"]],
  ["groups in repetitions", ["(?:(a)|b)*", "(?:(a)|(b))+", "^/(?:(a)|(b)|/)*$", "(z)((a+)?(b+)?(c))*", "^/((a)|(b))*", "(?:(a)|/)+b", "^(?:/(\\w))+$", "^(?:/(\\w)?)+$", "((a)|\\/){2}", "(?:(a)?b?){2}", "(?:(a)|b){0,3}c", "((?:a|(b))*?)c"]],
  ["empty repetitions", ["(?:a*)*", "(a*)*", "(a*)+", "(a*?)*", "(?:|a)*", "(?:|a)+", "(?:a|())*b", "(a?)*?b", "^/(.*)?$", "^/(.*)*$", "(?:a?){3}", "(a?){3}", "(?:(a?)b?)*", "()*", "()+", "(?:){5}", "(?:)*x", "(\\b)*a", "(?:$)*", "(?:a??)?b"]],
  ["look-ahead", ["^/(?!a)(.*)", "^/(?=a)(.*)", "(?=(a+))a*b", "(?=(a+))", "(?!(a))(.)", "^/(?!api|svc)(.*)$", "(?=a)*b", "(?=(a))?b", "(?!a){2}b", "(.*?)a(?!(a+)b\\2c)\\2(.*)", "(?=.*\\d)(.*)", "(?!.*\\.y)^/(.*)$", "(?=(?=(?!b)(.)))\\1"]],
  ["look-behind", ["(?<=/)a", "(?<!/)a", "(?<=a)b", "(?<!a)b", "(?<=^/)(.*)", "(?<=(\\d+)(\\d+))/", "(?<=\\1(a))b", "(?<=(a)\\1)b", "(?<=a|bc)/", "(?<=/.*)b", "(?<=(?=a)a)b", "(?<!\\d)\\d+$", "(?<=[a-c]{2})/", "(?<=(?:(a)|b)*)/", "(.*)(?<=x)$"]],
  ["back-references", ["(a)\\1", "(\\w)/\\1", "/(\\w+)/\\1$", "(?:(x)|a)\\1b", "\\1(a)", "(a\\1)", "(?:(a)|b\\1)+", "(a)(b)?\\2", "(?<n>a)\\k<n>", "\\k<n>(?<n>a)", "(?<n>a)|\\k<n>b", "(\\w)\\1{2}", "([a-z])\\1"]],
  ["back-references without groups", ["\\1", "\\2(a)", "\\8", "\\9a", "\\01", "\\101", "\\377", "\\400", "\\0", "\\08", "(a)\\2", "[\\1]", "[\\101]"]],
  ["escapes", ["\\/a", "\\-", "\\_", "\\~", "\\a", "\\e", "\\g", "\\x41", "\\x4", "\\xzz", "\\u0061", "\\u00fc", "\\u006", "\\u{61}", "u{4}", "\\cA", "\\cJ", "\\c", "\\c1", "\\t", "\\v\\f", "\\p{L}", "\\P{L}", "\\k", "\\k<n>", "\\Q", "\\z", "\\A/", "\\\\d", "\\^\\$", "\\.y", "\\{2\\}", "\\[x\\]"]],
  ["Annex B braces", ["{", "}", "]", "a{", "a{2}", "/a{2", "{2}}", "a\\{2}", "a{,2}", "a{2,1}", "{1}", "x{a}", "[x]]", "a{ 2}", "^{2}", "a{2}{3}", "a{2}?"]],
  ["classes", ["[a-c]+", "[^/]+", "[^/?]*$", "[-a]", "[a-]", "[a-\\d]", "[\\d-c]", "[\\w-]+", "[^\\w/]", "[\\s\\S]", "[\\d\\D]", "[\\]]", "[[]", "[]a]", "[^]a]", "[\\b]", "[\\B]", "[\\-/]", "[.]", "[\\.y]", "[(|)]", "[a-z&&[b]]", "[\\cA]", "[\\c]", "[\\c_]", "[\\k]", "[\\x61-\\x63]", "[\\u0061-c]", "[b-a]", "[\u00fc]", "[^\u00fc]", "[$^]", "[\\0]"]],
  ["class escapes", ["\\d+", "\\D+", "\\w+", "\\W+", "\\s", "\\S+", "\\bb", "b\\b", "\\B.", "\\Bb", "/\\b/", "\\w\\b", "^\\/\\d+\\/(\\d+)$"]],
  ["named groups", ["(?<n>a)", "(?<a>\\d+)/(?<b>\\d+)", "(?<n>a)|(?<m>b)", "(?<$>a)", "(?<_1>a)", "(?<\u00fc>a)"]],
  ["alternatives", ["a|b", "|a", "a|", "(|a)b", "(a|)b", "^/a|/b$", "^(?:/a|/b)", "^/(?:api|svc)(.*)$", "^/(a|ab)$", "(?:)", "^(?:/app|/app/.*)?/a/(.*)$", "^/(?:a|(b))/(.*)$"]],
  ["errors", ["*", "a**", "+a", "?", "(", "(a", "a)", "[", "[a", "a\\", "(?", "(?a)", "(?i:a)", "(?<1>a)", "(?<a", "(?<a>x)(?<a>y)", "(?<a>x)\\k", "(?<a>x)\\k<b>", "(?<=a)*", "^*", "\\b+", "(?<=a", "(?:", "[z-a]", "(?<>a)"]],
];

const folded = ["^/A/(.*)$", "/a/B$", "[a-c]+/", "[^A]", "\u00fc", "\u00dc/", "[\u00fc]", "\u00df", "s", "k", "\u017f", "\u212a", "(A)\\1", "(?<=A)B", "\\x41b", "^/API/v(\\d)", "[\\W]", "\\w+$", "(?:(A)|B)*", "[^\u00fc]+", "\u03c3", "[A-Z]+", "[_-a]", "^/(A+)(.*)"];

const targets = ["/t/$1", "/$2/$1", "[$&]", "$`|$'", "$$1", "$0$9$10$11$01$00", "$<n>$<m>$<", "/$1_v2/${1}/$", "", "$1$1?x=$2&$"];

// Real forms with every target there is.
const withAllTargets = ["^/a/(.*)$", "^/(?<n>\\w+)(?:/(?<m>\\w+))?", "(/)?(b)?", "(a)(b)(c)?", "/a", "^(.*)$", "(.)(.)(.)(.)?(.)?(.)?(.)?(.)?(.)?(.)?(.)?", "(?<!x)(b)"];

function row(source, icase, target) {
  let pattern;
  try {
    pattern = new RegExp(source, icase ? "i" : "");
  } catch (problem) {
    return { source, icase, target, error: problem.message.replace(/^.*\/[a-z]*: /s, "") };
  }
  const expect = urls.map((url) => {
    const match = pattern.exec(url);
    const groups = match && Array.from(match, (group) => group ?? null);
    return { url, groups, rewritten: match && url.replace(pattern, target) };
  });
  // Rows stay readable: what does not match is said for two URLs, not for thirty.
  const misses = expect.filter(({ groups }) => !groups).slice(0, 2);
  return { source, icase, target, expect: expect.filter((one) => one.groups || misses.includes(one)) };
}

const rows = [
  ...tables.flatMap(([, sources]) => sources.map((source, place) => row(source, false, targets[place % 2]))),
  ...folded.map((source) => row(source, true, "<$1>")),
  ...withAllTargets.flatMap((source) => targets.map((target) => row(source, false, target))),
];

writeFileSync(new URL("patterns.jsonl", import.meta.url), rows.map((one) => JSON.stringify(one) + "\n").join(""));
