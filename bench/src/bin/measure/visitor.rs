//! An administrator's browser, as far as the console's rows need one: it signs in, opens pages, and knows what a page
//! loads besides itself.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use tokenhouse_bench::Outcome;

/// What a page names that the browser loads with it.
const FILES: &str = "/console/static/";
/// Where one signs in.
pub(crate) const DOOR: &str = "/console/sign-in";

/// A browser, signed in.
pub(crate) struct Visitor {
    port: u16,
    /// Name and value, as they are sent.
    pub(crate) cookie: String,
    form_token: String,
}

/// What a page weighs with everything that it loads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Weight {
    /// Its requests, the page's own among them.
    pub(crate) requests: usize,
    /// The bytes of all of them, each compressed by gzip.
    pub(crate) compressed_kb: f64,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Visitor {
    /// One who has opened the door and is not signed in.
    pub(crate) fn at_the_door(port: u16) -> Outcome<Self> {
        let mut visitor = Self {
            port,
            cookie: String::new(),
            form_token: String::new(),
        };
        visitor.page(DOOR)?;
        Ok(visitor)
    }

    /// Signs in with a password.
    pub(crate) fn signed_in(port: u16, email: &str, password: &str) -> Outcome<Self> {
        let mut visitor = Self::at_the_door(port)?;
        let plain = |text: &str| text.replace('@', "%40").replace(' ', "+");
        visitor.send(DOOR, &format!("email={}&password={}", plain(email), plain(password)))?;
        Ok(visitor)
    }

    /// Sends a form, which must lead on.
    pub(crate) fn send(&mut self, path: &str, form: &str) -> Outcome<()> {
        let form = format!("{form}&form_token={}", self.form_token);
        match self.ask("POST", path, &form)?.status {
            303 => Ok(()),
            status => Err(format!("a form sent to {path} was answered {status}").into()),
        }
    }

    /// A page's text.
    pub(crate) fn page(&mut self, path: &str) -> Outcome<String> {
        let answer = self.ask("GET", path, "")?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(format!("{path} was answered {status}").into()),
        }
    }

    /// The first address on a page that goes on like `prefix`.
    pub(crate) fn link(&mut self, page: &str, prefix: &str) -> Outcome<String> {
        let text = self.page(page)?;
        let start = format!("href=\"{prefix}");
        let found = text.split(&start).skip(1).find_map(|rest| {
            let rest = rest.split(['"', '?', '#']).next()?;
            let is_id = rest.len() > 8 && !rest.contains('/');
            is_id.then(|| format!("{prefix}{rest}"))
        });
        Ok(found.ok_or_else(|| format!("{page} leads to no {prefix}"))?)
    }

    /// What a page weighs with what it loads.
    pub(crate) fn weight(&mut self, path: &str) -> Outcome<Weight> {
        let page = self.page(path)?;
        let files: BTreeSet<&str> = page.split(['"', '\'']).filter(|text| text.starts_with(FILES)).collect();
        let mut bytes = compressed(&page)?;
        for file in &files {
            bytes += compressed(&self.page(file)?)?;
        }
        Ok(Weight {
            requests: 1 + files.len(),
            compressed_kb: bytes as f64 / 1000.0,
        })
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> Outcome<Answer> {
        let port = self.port;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n");
        if !self.cookie.is_empty() {
            request += &format!("Cookie: {}\r\n", self.cookie);
        }
        if method == "POST" {
            request += &format!(
                "Origin: http://localhost:{port}\r\nSec-Fetch-Site: same-origin\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            );
        }
        stream.write_all(format!("{request}\r\n{form}").as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8(bytes)?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .ok_or("an answer without an end of its head")?;
        let answer = Answer {
            status: head.get(9..12).unwrap_or_default().parse()?,
            head: head.to_owned(),
            body: body.to_owned(),
        };
        self.keep(&answer);
        Ok(answer)
    }

    /// Keeps the cookie and the form's token that came.
    fn keep(&mut self, answer: &Answer) {
        for line in answer.head.lines() {
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            let pair = value.split(';').next().unwrap_or_default();
            if name.eq_ignore_ascii_case("set-cookie") && !pair.starts_with("tokenhouse-language=") {
                pair.clone_into(&mut self.cookie);
            }
        }
        let before = "name=\"form_token\" value=\"";
        if let Some((_, rest)) = answer.body.split_once(before) {
            rest.split('"')
                .next()
                .unwrap_or_default()
                .clone_into(&mut self.form_token);
        }
    }
}

/// How many bytes a text has when gzip has compressed it.
fn compressed(text: &str) -> Outcome<usize> {
    let mut gzip = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // Closed when it is written. A page is smaller than what a pipe and gzip take before they are read from.
    gzip.stdin
        .take()
        .ok_or("gzip reads nothing")?
        .write_all(text.as_bytes())?;
    Ok(gzip.wait_with_output()?.stdout.len())
}
