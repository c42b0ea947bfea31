"""What an operator does, by docs/operate.md's own commands and files."""

import json
import re
import secrets
import threading
import time
from collections import Counter

import checks
import house
import load
from load import AUDIENCE, Connection

PAGE = house.TOP / "docs/operate.md"
CONFIG = "/etc/tokenhouse/tokenhouse.toml"
AUTHORITY = "auth.example.com"
UNIT = "tokenhouse.service"
RESTARTS = 3
CALLERS = 8
READY_S = 20
SEEN_S = 5
# Of ten; systemd's own word for less than two is OK.
EXPOSURE = 2.0
USERNAME = "somebody@example.com"


class Installed:
    """The house as its callers see it."""

    port = 4000
    authority = AUTHORITY


def run(machine, log):
    machine.enter_network()
    try:
        with checks.check("docs/operate.md installs it, and it becomes ready") as check:
            _install(machine, check)
        with checks.check("it runs as its own user, without privileges, behind the filter of system calls") as check:
            _confined(machine, check)
        with checks.check("tokenhouse doctor finds nothing but that the issuer's name leads nowhere here"):
            _diagnose(machine)
        with checks.check("an application is registered as its user, and gets a token"):
            application = _furnish(machine)
        with checks.check("a user logs in; hashing stands behind what signs") as check:
            _login(machine, check)
        with checks.check(f"{RESTARTS} restarts under load refuse no connection") as check:
            _restarts(machine, application, check)
        with checks.check("systemctl reload: the same process goes on, and says what it did"):
            _reload(machine)
        with checks.check("a backup and its restore, as the page has them") as check:
            _backup(machine, check)
        with checks.check("a certificate for its user, renewed by the page's hook and taken over at once"):
            _renew(machine, check)
        with checks.check("trust --install lets every user trust the authority of dev, --uninstall nobody") as check:
            _trust(machine, check)
        with checks.check("systemctl stop ends it well"):
            machine.expect("systemctl", "stop", UNIT)
            ended = _show(machine, "ActiveState", "Result", "NRestarts")
            checks.expect(ended == ["inactive", "success", "0"], f"it ended as {ended}: {_journal(machine, 5)}")
    finally:
        log.write_text(_journal(machine, 100_000), encoding="utf-8")


def _install(machine, check):
    began = time.monotonic()
    first, then, _ = _blocks("## Install", "sh")
    machine.shell(first, "/srv/host")
    checks.secret(machine.path("/etc/tokenhouse/sealing.key").read_text().strip())
    for settings in _blocks("## Install", "toml"):
        _configure(machine, settings)
    machine.shell(then)
    ready = lambda: load.get(Installed.port, AUTHORITY, "/readyz") == 200
    try:
        checks.until("the server to be ready", READY_S, ready)
    except AssertionError as error:
        raise AssertionError(f"{error}: {_show(machine, 'Result', 'NRestarts')} {_journal(machine, 8)}") from None
    _expect_unbroken(machine)
    enabled = machine.expect("systemctl", "is-enabled", UNIT, "tokenhouse.socket").split()
    checks.expect(enabled == ["enabled", "enabled"], f"they are {enabled}")
    check.note(f"{time.monotonic() - began:.1f} s")


def _confined(machine, check):
    [process] = _show(machine, "MainPID")
    said = machine.expect("cat", f"/proc/{process}/status")
    fields = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    user = machine.expect("id", "-u", "tokenhouse").strip()
    seen = {name: fields[name].split()[0] for name in ("Uid", "Seccomp", "NoNewPrivs", "CapEff", "CapBnd")}
    nothing = "0" * 16
    wanted = {"Uid": user, "Seccomp": "2", "NoNewPrivs": "1", "CapEff": nothing, "CapBnd": nothing}
    checks.expect(seen == wanted, f"the process has {seen}")
    for path, mode in (("/var/lib/tokenhouse", 0o700), ("/var/lib/tokenhouse/tokenhouse.db", 0o600)):
        found = machine.path(path).stat().st_mode & 0o777
        checks.expect(found == mode, f"{path} has the mode {found:o}")
    said = machine.expect("systemd-analyze", "security", "--no-pager", UNIT)
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])
    checks.expect(exposure < EXPOSURE, f"systemd-analyze security says {exposure}")
    check.note(f"exposure {exposure}")


def _diagnose(machine):
    doctor = machine.run("runuser", "-u", "tokenhouse", "--", "tokenhouse", "doctor", "--config", CONFIG)
    complaints = [line for line in doctor.stdout.splitlines() if line.startswith(("fail", "warn"))]
    # Nobody serves the issuer's name in here.
    checks.expect(len(complaints) == 1 and "reachability" in complaints[0], f"it says {doctor.stdout or doctor.stderr}")
    checks.expect(doctor.returncode == 1, f"it ended with {doctor.returncode}")


def _furnish(machine):
    [_, _, as_its_user] = _blocks("## Install", "sh")
    machine.shell(as_its_user)
    _command(machine, "apis", "create", AUDIENCE, "--signing-alg", "ES256")
    application = _command(machine, "apps", "create", "Load")
    checks.secret(application["client_secret"])
    _command(machine, "grants", "create", "--app", application["client_id"], "--api", AUDIENCE)
    checks.until("the first token", SEEN_S, lambda: load.token(Installed, application) == 200)
    return application


def _login(machine, check):
    password = checks.secret(secrets.token_urlsafe(18))
    create = ["users", "create", "--email", USERNAME, "--password-stdin"]
    _command(machine, *create, input=f"{password}\n")
    kinds = 'grant_types=["password"]'
    application = _command(machine, "apps", "create", "Signs in", "--type", "regular", "--set", kinds)
    checks.secret(application["client_secret"])
    form = {
        "grant_type": "password", "username": USERNAME, "password": password, "scope": "openid",
        "client_id": application["client_id"], "client_secret": application["client_secret"],
    }
    asked = [word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")]
    to = ["--silent", "--header", f"Host: {AUTHORITY}", f"http://127.0.0.1:{Installed.port}/oauth/token"]

    answer = {}

    def granted():
        answer.update(json.loads(machine.expect("curl", *to, *asked)))
        return "access_token" in answer

    try:
        checks.until("the login to be granted", SEEN_S, granted)
    except AssertionError as error:
        raise AssertionError(f"{error}: {answer}") from None
    checks.secret(answer["access_token"])
    [process] = _show(machine, "MainPID")
    nice = sorted(machine.expect("ps", "-L", "-o", "ni=", "-p", process).split(), key=int)
    checks.expect(nice[0] == "0" and nice[-1] == "10", f"its threads stand at {nice}")
    _expect_unbroken(machine)
    check.note(f"{nice.count('10')} of {len(nice)} threads stand behind")


def _restarts(machine, application, check):
    answers, refused, stop = Counter(), [], threading.Event()

    def call(number):
        keeps = number % 2 == 0
        connection = Connection(Installed, application)
        count = 0
        while not stop.is_set():
            count += 1
            try:
                exchange, _ = connection.ask(f"restart-{number}-{count}")
                answers[keeps, exchange.status] += 1
            except OSError as error:
                refused.append(str(error))
            if not keeps:
                connection.close()
        connection.close()

    callers = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    processes = set()
    try:
        for _ in range(RESTARTS):
            before = answers[False, 200]
            checks.until("tokens under load", 10, lambda: answers[False, 200] > before + 50)
            machine.expect("systemctl", "restart", UNIT)
            processes.update(_show(machine, "MainPID"))
        before = answers[False, 200]
        checks.until("tokens after the last", 10, lambda: answers[False, 200] > before + 50)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    checks.expect(not refused, f"{len(refused)} connections were refused: {refused[:1]}")
    checks.expect(len(processes) == RESTARTS, f"it was restarted {len(processes)} times")
    # A request on a connection that is kept may meet the closing door; whoever connects anew is always answered.
    others = {key: count for key, count in answers.items() if key not in {(True, 200), (False, 200), (True, None)}}
    checks.expect(not others, f"beside 200 there were {others}")
    check.note(f"{answers[False, 200]} new connections and {answers[True, 200]} kept requests answered, "
               f"{answers[True, None]} met the closing door")


def _reload(machine):
    before = _show(machine, "MainPID")
    machine.expect("systemctl", "reload", UNIT)
    checks.until("it to say so", SEEN_S, lambda: "asked to reload" in _journal(machine, 5))
    checks.expect(_show(machine, "MainPID") == before, "it is another process now")
    checks.expect(load.get(Installed.port, AUTHORITY, "/readyz") == 200, "it is not ready")
    _expect_unbroken(machine)


def _backup(machine, check):
    [script, *_] = _blocks("## Backup and restore", "sh")
    machine.shell(script)
    restored = machine.path("/var/lib/tokenhouse-new")
    checks.expect((restored / "tokenhouse.db").exists(), f"there is {sorted(path.name for path in restored.iterdir())}")
    owners = {path.stat().st_uid for path in restored.rglob("*")}
    user = int(machine.expect("id", "-u", "tokenhouse"))
    checks.expect(owners == {user}, f"its files belong to {owners}")
    key = {"TOKENHOUSE_SEALING__KEY": machine.path("/etc/tokenhouse/sealing.key").read_text().strip()}
    key["TOKENHOUSE_SERVER__DATA"] = "/var/lib/tokenhouse-new"
    names = [f"{name}={value}" for name, value in key.items()]
    listed = machine.expect("runuser", "-u", "tokenhouse", "--", "env", *names, "tokenhouse", "apps", "list",
                            "--config", CONFIG, "--json")
    found = [application["name"] for application in json.loads(listed)]
    checks.expect({"Load", "Signs in"} <= set(found), f"it has the applications {found}")
    check.note(f"{(restored / 'tokenhouse.db').stat().st_size // 1024} KiB")


def _renew(machine, check):
    live = "/etc/letsencrypt/live/auth.example.com"
    machine.shell(f"mkdir -p {live} /etc/letsencrypt/renewal-hooks/deploy")
    first = _certificate(machine, live)
    [script, *_] = _blocks("## TLS, or a proxy", "sh")
    machine.shell(script)
    for settings in _blocks("## TLS, or a proxy", "toml"):
        _configure(machine, settings)
    machine.expect("systemctl", "restart", UNIT)
    served = checks.until("it to serve https", READY_S, lambda: _served(machine))
    checks.expect(served == first, f"it serves the certificate {served}, not {first}")
    second = _certificate(machine, live)
    hook = "/etc/letsencrypt/renewal-hooks/deploy/tokenhouse"
    renewal = f"RENEWED_LINEAGE={live} {hook}"
    machine.shell(renewal)
    checks.until("the renewed certificate", SEEN_S, lambda: _served(machine) == second)
    answer = machine.expect("curl", *_to("/.well-known/jwks.json", live), "--dump-header", "-", "--output", "/dev/null")
    checks.expect(answer.startswith("HTTP/1.1 200"), f"it answers {answer[:40]}")
    checks.expect("strict-transport-security: max-age=31536000" in answer, "no Strict-Transport-Security")
    machine.shell(f"echo nothing >{live}/fullchain.pem")
    machine.shell(renewal)
    says = "fullchain.pem holds no certificate"
    checks.until("it to say what is wrong", SEEN_S, lambda: says in _journal(machine, 5))
    checks.expect(_served(machine) == second, "the certificate that was good is gone")
    _expect_unbroken(machine)


def _trust(machine, check):
    data = "/srv/trusting"
    machine.shell(f"useradd --system --home-dir {data} --create-home --shell /usr/sbin/nologin trusting")
    dev = f"runuser -u trusting -- tokenhouse dev --https --listen 127.0.0.1:4443 --api-listen 127.0.0.1:4444 --data {data}/data"
    ready = f"{data}/ready.json"
    machine.expect("systemd-run", "--unit=trusting", "bash", "-c", f"{dev} --ready-file {ready}")
    checks.until("tokenhouse dev", READY_S, lambda: machine.path(ready).exists())
    ask = ("runuser", "-u", "nobody", "--", "curl", "--silent", "--show-error", "https://localhost:4443/healthz")
    before = machine.run(*ask)
    checks.expect(before.returncode == 60, f"before, curl ended with {before.returncode}")
    machine.expect("tokenhouse", "trust", "--install", "--force", "--data", f"{data}/data")
    answer = machine.expect(*ask)
    checks.expect('"ok"' in answer, f"it answers {answer}")
    # Some programs read the folder and not the bundle.
    machine.expect("runuser", "-u", "nobody", "--", "openssl", "x509", "-noout", "-in", "/etc/ssl/certs/tokenhouse-dev.pem")
    machine.expect("tokenhouse", "trust", "--uninstall")
    after = machine.run(*ask)
    checks.expect(after.returncode == 60, f"afterwards curl ended with {after.returncode}: {after.stdout}")
    left = machine.run("bash", "-c", "ls -d /etc/ssl/certs/*tokenhouse*").stdout.split()
    checks.expect(not left, f"it left {left}")
    machine.expect("systemctl", "stop", "trusting")


def _certificate(machine, folder):
    """A new certificate where certbot would put one: its fingerprint."""
    machine.shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=auth.example.com "
        f"-addext subjectAltName=DNS:auth.example.com -keyout {folder}/privkey.pem -out {folder}/fullchain.pem 2>/dev/null; "
        f"chmod 600 {folder}/privkey.pem"
    )
    return machine.shell(f"openssl x509 -in {folder}/fullchain.pem -noout -fingerprint -sha256").strip()


def _served(machine):
    """The fingerprint of the certificate that is served, or None where there is none."""
    connect = f"openssl s_client -connect 127.0.0.1:{Installed.port} -servername {AUTHORITY} </dev/null 2>/dev/null"
    shown = machine.run("bash", "-o", "pipefail", "-c", f"{connect} | openssl x509 -noout -fingerprint -sha256 2>/dev/null")
    return shown.stdout.strip() or None


def _to(path, folder):
    resolve = f"{AUTHORITY}:{Installed.port}:127.0.0.1"
    url = f"https://{AUTHORITY}:{Installed.port}{path}"
    trusted = ("--cacert", f"{folder}/fullchain.pem")
    return ("--silent", "--show-error", *trusted, "--resolve", resolve, "--header", f"Host: {AUTHORITY}", url)


def _command(machine, *arguments, **options):
    """A command on the server's data, as its user: the JSON that it prints."""
    said = machine.expect("runuser", "-u", "tokenhouse", "--", "tokenhouse", *arguments, "--config", CONFIG, "--json", **options)
    return json.loads(said) if said.strip() else None


def _configure(machine, settings):
    """Sets each key where the shipped file has it, with a # before it or not, as somebody with an editor would."""
    file = machine.path(CONFIG)
    lines = file.read_text(encoding="utf-8").splitlines()
    section = ""
    for setting in settings.splitlines():
        if setting.startswith("["):
            section = setting
            continue
        key = setting.partition(" = ")[0]
        begin = lines.index(section) + 1
        there = re.compile(rf"(# )?{re.escape(key)} = ")
        end = next((at for at in range(begin, len(lines)) if lines[at].startswith("[")), len(lines))
        at = next((at for at in range(begin, end) if there.match(lines[at])), None)
        checks.expect(at is not None, f"tokenhouse.toml has no {key} in {section}")
        lines[at] = setting
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _blocks(heading, language):
    """The code blocks of one language in one section of the page."""
    text = PAGE.read_text(encoding="utf-8")
    section = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    checks.expect(section, f"docs/operate.md has no section {heading}")
    return re.findall(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)


def _show(machine, *properties):
    """Properties of the unit, in this order."""
    return [machine.expect("systemctl", "show", "--value", f"--property={name}", UNIT).strip() for name in properties]


def _journal(machine, lines):
    return machine.run("journalctl", f"--unit={UNIT}", "--output=cat", "--no-pager", f"--lines={lines}").stdout


def _expect_unbroken(machine):
    state = _show(machine, "ActiveState", "SubState", "NRestarts")
    checks.expect(state == ["active", "running", "0"], f"the unit is {state}: {_journal(machine, 5)}")
