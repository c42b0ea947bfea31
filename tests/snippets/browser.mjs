// A page in Chromium, without a driver: what it shows is read from the document once it has settled.

import { spawn } from "node:child_process";
import path from "node:path";

const PATIENCE_MS = 60_000;
/** The origin that the samples may be called from. */
const ORIGIN = "localhost:3999";

let count = 0;

/** Opens the page at its usual address; answers what it shows as `stdout`. Of foreign certificates only `pins` pass. */
export async function browse({ place, program, pages, library, pins }) {
  count += 1;
  const name = `/request-${count}.html`;
  pages.put(name, program);
  const rules = `MAP ${ORIGIN} 127.0.0.1:${pages.port}, MAP code.jquery.com:443 127.0.0.1:${library.port}`;
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    `--user-data-dir=${path.join(place, "profile")}`,
    `--host-resolver-rules=${rules}`,
    `--ignore-certificate-errors-spki-list=${[library.pin, ...pins].join(",")}`,
    "--virtual-time-budget=8000",
    "--dump-dom",
    `http://${ORIGIN}${name}`,
  ];
  const { code, stdout, stderr } = await run(process.env.CHROMIUM ?? "chromium", args, place);
  const [, shown] = /<pre id="answer">(.*?)<\/pre>/s.exec(stdout) ?? [];
  return { code, stdout: text(shown ?? ""), stderr: shown ? "" : `${stdout} ${stderr}` };
}

function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HOME: cwd };
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function text(html) {
  const names = { lt: "<", gt: ">", quot: '"', amp: "&", nbsp: "\u00a0" };
  return html.replaceAll(/&(lt|gt|quot|amp|nbsp);/g, (_, name) => names[name]);
}
