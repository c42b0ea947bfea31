// Values that mean something to every language's literals, and what must arrive of them.

const every = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join("");

/** Each would leave a file named `pwned…` if anything ran it. */
const commands = [
  "$(touch pwned-sh)",
  "`touch pwned-backtick`",
  "'; touch pwned-single; '",
  '"; touch pwned-double; "',
  "#{`touch pwned-ruby`}",
  "<?php touch('pwned-php') ?>",
  "${require('fs').writeFileSync('pwned-js','')}",
  "'''; open('pwned-py','w'); '''",
  '"""; open("pwned-py2","w"); """',
];

/** For files, which may hold any character, NUL too. */
const anything = [
  controls,
  "\u007f\u0080\u0085\u009f1a\u0001f\u00002\u001bA",
  "LF\nCR\rCRLF\r\nTAB\t",
  "é ß 漢字 👩‍👩‍👧‍👦 😀 \u{10ffff} \ufffe\uffff \u2028\u2029\ufeff\u202e\u2066 ‘’“”",
  "EOF\n'EOF'\n__END__\n=begin\n",
].join("|");

/** For arguments, which hold any character but NUL. */
const signs = [
  every,
  "\\ \\\\ \\\\\\ \\n \\u000a \\u0022 \\x41 \\101 \\0 \\",
  "' '' ''' \" \"\" \"\"\" ` `` ``` '\\'' \\' \\\"",
  "$HOME ${HOME} {$x} $$ ${} $(id) #{1+1} #$0 #@x \\(1+1) \\#(1+1) %s %@ %n %% !! !$",
  "</script> <!-- --> ]]> ?> <?php */ /* // # -- ; @ \"# \"##",
  "??= ??/ ??' ???? {{password}} @file :=1 == = - --help",
  "\\u0027 \\u{27} &quot; &#39; %27 %00",
  ...commands,
].join(" ");

export const values = {
  username: `@${signs}`,
  password: `${anything}${signs}\\`,
  client_id: `=${commands.join("")}\n\r\t\\`,
  client_secret: `${signs}\\'"`,
  audience: `-${"x'\"\\$`".repeat(400)}`,
  scope: "",
};

/** Every printable character but the blank, and the commands without blanks. */
export const token = every.slice(1) + commands.join("").replaceAll(" ", "${IFS}") + "\\'\"\\";

/** Whatever may stand in a path after it was percent-encoded; dots would be taken for folders. */
export const path = `/it's "$HOME" $(touch pwned-url) \`touch pwned-url\` #{1+1} {a}[b] \\(1) é😀 %s <x>|^`.replaceAll("#", "%23");

/** The same as it must arrive. */
export const decodedPath = decodeURIComponent(path.replaceAll(/%(?![0-9A-F]{2})/g, "%25"));
