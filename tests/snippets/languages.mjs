// How each language's program is run, as it was printed. `command(folder, text)` answers what to run there; where a
// program says itself how it is run, that is what is run.

import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
export const made = process.env.TOKENHOUSE_SNIPPETS_MADE ?? path.resolve(here, "../../.test/snippets");
const home = os.homedir();

/** The folder of Swift's own system. */
export const swiftRoot = process.env.TOKENHOUSE_SWIFT_ROOT ?? path.join(made, "swift-root");

/**
 * `trust`: what the program, run so, checks the server's certificate against: the authority's "file" that it names, or
 * what the "machine" trusts alone; or "nothing", as GNUstep does.
 * `needs`: programs without which it cannot be run. `isLong`: it compiles for long, or needs a system of its own.
 */
export const languages = [
  { id: "curl", file: "request.sh", needs: ["curl"], trust: "file", command: () => sh("sh request.sh") },
  { id: "csharp", file: "Program.cs", needs: ["mcs", "mono"], trust: "machine", command: csharp },
  { id: "go", file: "request.go", needs: ["go"], trust: "file", command: asPrinted },
  { id: "java", file: "Request.java", needs: ["java"], trust: "file", command: asPrinted },
  { id: "jquery", file: "request.html", needs: ["chromium"], trust: "file", isPage: true },
  { id: "node", file: "request.mjs", needs: ["node"], trust: "file", command: asPrinted },
  { id: "objc", file: "request.m", needs: ["clang"], trust: "nothing", command: objc },
  { id: "php", file: "request.php", needs: ["php"], trust: "file", command: asPrinted },
  { id: "python", file: "request.py", needs: ["python3"], trust: "file", command: asPrinted },
  { id: "ruby", file: "request.rb", needs: ["ruby"], trust: "file", command: asPrinted },
  { id: "swift", file: "main.swift", needs: ["unshare"], trust: "machine", isLong: true, command: swift },
  { id: "rust", file: "src/main.rs", needs: ["cargo"], trust: "file", isLong: true, command: rust },
  { id: "kotlin", file: "request.kt", needs: ["java"], trust: "file", isLong: true, command: asPrinted },
  { id: "requests", file: "request.py", needs: [], trust: "file", command: asPrinted },
  { id: "fetch", file: "request.html", needs: ["chromium"], trust: "file", isPage: true },
  { id: "axios", file: "request.mjs", needs: ["node"], trust: "file", command: axios },
  { id: "httpie", file: "request.sh", needs: [], trust: "file", command: () => sh("sh request.sh") },
  { id: "unirest", file: "Request.java", needs: ["java"], trust: "file", isLong: true, command: unirest },
];

/** Little of this machine: a home with a hostile .netrc, no proxies, no language of its own. */
export function environment(folder) {
  const venv = path.join(made, "venv/bin");
  const places = [venv, path.join(made, "kotlin/node_modules/kotlin-compiler/bin"), process.env.PATH];
  return {
    PATH: places.join(":"),
    HOME: folder,
    LC_ALL: "C",
    NO_PROXY: "localhost,127.0.0.1",
    no_proxy: "localhost,127.0.0.1",
    GOCACHE: process.env.GOCACHE ?? path.join(home, ".cache/go-build"),
    GOPATH: process.env.GOPATH ?? path.join(home, "go"),
    GOTOOLCHAIN: "local",
    GOPROXY: "off",
    CARGO_HOME: process.env.CARGO_HOME ?? path.join(home, ".cargo"),
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? path.join(home, ".rustup"),
    PYENV_ROOT: process.env.PYENV_ROOT ?? path.join(home, ".pyenv"),
  };
}

function sh(line) {
  return ["sh", ["-c", line]];
}

/** What the program's first lines say, without what installs. */
function asPrinted(folder, text) {
  const [, line] = /then run:\s+(?:\/\/ )?(.+)$/m.exec(text) ?? [];
  if (!line) throw new Error("the program does not say how it is run");
  return sh(line.replace(/^(?:npm|pip) install \w+ && /, ""));
}

function axios(folder, text) {
  symlinkSync(path.join(here, "node_modules"), path.join(folder, "node_modules"));
  return asPrinted(folder, text);
}

function csharp() {
  const compile = `mcs -langversion:latest -r:System.Net.Http.dll -main:Entry -out:request.exe Program.cs ${here}/csharp/Entry.cs`;
  return sh(`${compile} >compiler.log 2>&1 || { cat compiler.log >&2; exit 3; }; mono request.exe`);
}

function objc() {
  const gcc = "/usr/lib/gcc";
  const [target] = readdirSync(gcc);
  const version = readdirSync(`${gcc}/${target}`).find((name) => existsSync(`${gcc}/${target}/${name}/include/objc/objc.h`));
  const flags = "-fblocks -fobjc-runtime=gcc -fexceptions -fobjc-exceptions -fconstant-string-class=NSConstantString";
  const defines = "-D_NATIVE_OBJC_EXCEPTIONS -DGNUSTEP_BASE_LIBRARY=1 -DGNU_RUNTIME=1";
  const headers = `-I${here}/objc -I/usr/include/GNUstep -idirafter ${gcc}/${target}/${version}/include -include session.h`;
  const libraries = "-lgnustep-base -lobjc -lBlocksRuntime";
  return sh(`clang ${flags} ${defines} ${headers} request.m -o request ${libraries} || exit 3; ./request`);
}

/** A crate beside the house's own dependencies, built once. */
function rust(folder) {
  copyFileSync(path.join(here, "rust/Cargo.toml"), path.join(folder, "Cargo.toml"));
  copyFileSync(path.join(here, "rust/Cargo.lock"), path.join(folder, "Cargo.lock"));
  return sh(`cargo run --quiet --locked --target-dir ${made}/rust`);
}

function unirest(folder, text) {
  symlinkSync(path.join(made, "unirest"), path.join(folder, "lib"));
  return asPrinted(folder, text);
}

/** In a system of its own, made by `run --long`: Debian 12 has no Swift. Its mounts are gone when it ends. */
function swift(folder, text) {
  const inside = path.join(swiftRoot, "snippet");
  mkdirSync(inside, { recursive: true });
  const [, line] = /then run: (.+)$/m.exec(text);
  const mounts = `mount -t proc proc ${swiftRoot}/proc && mount --bind ${folder} ${inside}`;
  const chroot = `chroot ${swiftRoot} /bin/sh -c 'export PATH=/usr/bin:/bin HOME=/snippet; cd /snippet && ${line}'`;
  return ["unshare", ["-m", "sh", "-c", `${mounts} && ${chroot}`]];
}
