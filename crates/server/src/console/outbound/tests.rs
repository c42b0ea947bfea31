//! What calls from the console reach and what they do not, against real listeners on this machine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::{Router, routing};
use tokio::sync::watch;

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::row_id;
use tokenhouse_protocol::time::Clock;

use super::*;
use crate::dev::authority::Authority;
use crate::serve;
use crate::snippets::Method as Verb;

fn get(url: &str) -> Request {
    Request::new(Verb::Get, url).unwrap()
}

/// Answers one connection with `answer` and gives what was asked.
fn serve_once(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        // The caller may hang up once it has enough.
        let _ = stream.write_all(&answer);
        String::from_utf8(head).unwrap()
    });
    (address, asked)
}

/// Finds these addresses for every name, one list a lookup, and counts.
fn finds(lists: Vec<Vec<SocketAddr>>) -> (Lookup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, lists) = (count.clone(), Mutex::new(lists.into_iter()));
    let lookup: Lookup = Arc::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let next = lists.lock().unwrap().next().unwrap_or_default();
        Box::pin(async move { Ok(next) })
    });
    (lookup, count)
}

fn forbidden(result: Result<Answer, Failure>) -> Kind {
    match result {
        Err(Failure::Forbidden { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn an_answer_is_told_as_it_is() {
    let answer =
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm=\"api\"\r\ncontent-length: 4\r\n\r\n\u{e9}!!";
    let (address, asked) = serve_once(answer);
    let outbound = Outbound::new(Reach::Private, None);
    let request = get(&format!("http://{address}/api/private?a=b")).bearer("abc").unwrap();
    let answer = outbound.send(&request).await.unwrap();
    assert_eq!((answer.status, answer.reason), (401, "Unauthorized"));
    assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"api\""));
    assert_eq!(answer.body, Content::Text("\u{e9}!!".into()));
    assert_eq!(answer.address, Some(address));
    let asked = asked.join().unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get /api/private?a=b http/1.1\r\n"), "{asked}");
    for (name, value) in sent_headers(&request) {
        let line = format!("\r\n{name}: {value}\r\n").to_ascii_lowercase();
        assert!(asked.contains(&line), "{line:?} is not in {asked}");
    }
}

#[tokio::test]
async fn a_redirection_is_an_answer_and_is_not_followed() {
    let (address, asked) =
        serve_once("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let answer = Outbound::new(Reach::Private, None)
        .send(&get(&format!("http://{address}/")))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("http://127.0.0.1:1/"))
    );
    assert_eq!(answer.body, Content::Empty);
    asked.join().unwrap();
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_notation_unless_allowed() {
    let outbound = Outbound::new(Reach::Public, None);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ] {
        let kind = forbidden(outbound.send(&get(&format!("http://{host}:9/"))).await);
        assert_eq!(kind, Kind::Loopback, "{host}");
    }
    for (host, kind) in [
        ("169.254.169.254", Kind::Metadata),
        ("[fd00:ec2::254]", Kind::Metadata),
        ("[2002:7f00:1::1]", Kind::Reserved),
        ("0.0.0.0", Kind::Unspecified),
        ("[::]", Kind::Unspecified),
    ] {
        let url = format!("http://{host}/latest/meta-data/");
        assert_eq!(
            forbidden(Outbound::new(Reach::Private, None).send(&get(&url)).await),
            kind,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_name_for_a_private_address_is_refused_where_that_is_forbidden() {
    let kind = forbidden(
        Outbound::new(Reach::Public, None)
            .send(&get("http://localhost:9/"))
            .await,
    );
    assert_eq!(kind, Kind::Loopback, "by the system's own lookup");
    for address in [
        "127.0.0.1:0",
        "10.0.0.1:0",
        "[::1]:0",
        "[::ffff:10.0.0.1]:0",
        "[fe80::1]:0",
    ] {
        let good: SocketAddr = "93.184.216.34:0".parse().unwrap();
        let (lookup, _) = finds(vec![vec![good, address.parse().unwrap()]]);
        let outbound = Outbound::with_lookup(Reach::Public, None, lookup);
        let refused = outbound.send(&get("http://api.example.com/")).await.unwrap_err();
        assert!(
            refused.to_string().starts_with("api.example.com stands for "),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_connected_to_as_vetted() {
    let (address, asked) = serve_once(OK);
    let other: SocketAddr = "10.255.255.1:0".parse().unwrap();
    let (lookup, count) = finds(vec![vec![SocketAddr::new(address.ip(), 0)], vec![other]]);
    let outbound = Outbound::with_lookup(Reach::Private, None, lookup);
    let answer = outbound
        .send(&get(&format!("http://rebinds.example:{}/", address.port())))
        .await
        .unwrap();
    assert_eq!((answer.address, count.load(Ordering::SeqCst)), (Some(address), 1));
    let asked = asked.join().unwrap().to_ascii_lowercase();
    assert!(
        asked.contains(&format!("\r\nhost: rebinds.example:{}\r\n", address.port())),
        "{asked}"
    );
}

#[tokio::test]
async fn a_second_call_looks_up_again_and_is_vetted_again() {
    let (address, asked) = serve_once(OK);
    let (lookup, _) = finds(vec![
        vec![SocketAddr::new(address.ip(), 0)],
        vec!["169.254.169.254:0".parse().unwrap()],
    ]);
    let outbound = Outbound::with_lookup(Reach::Private, None, lookup);
    let request = get(&format!("http://rebinds.example:{}/", address.port()));
    outbound.send(&request).await.unwrap();
    assert_eq!(forbidden(outbound.send(&request).await), Kind::Metadata);
    asked.join().unwrap();
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_what_is_no_text_is_told_apart() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 10 << 20);
    let (address, asked) = serve_once([head.into_bytes(), vec![b'x'; 1 << 20]].concat());
    let outbound = Outbound::new(Reach::Private, None);
    let answer = outbound.send(&get(&format!("http://{address}/"))).await.unwrap();
    assert_eq!(
        (answer.is_cut, answer.body.text().unwrap().len()),
        (true, MAX_BODY_BYTES)
    );
    asked.join().unwrap();
    let (address, asked) = serve_once(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe".to_vec());
    let answer = outbound.send(&get(&format!("http://{address}/"))).await.unwrap();
    assert_eq!(answer.body, Content::Bytes("//4=".into()));
    asked.join().unwrap();
}

#[tokio::test]
async fn each_way_to_fail_says_what_to_do() {
    let outbound = Outbound::new(Reach::Private, None);
    // Bound and let go: nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(
        outbound.send(&get(&format!("http://{free}/"))).await.unwrap_err(),
        Failure::Refused
    );
    let (address, asked) = serve_once("SSH-2.0-what\r\n");
    let refused = outbound.send(&get(&format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(refused, Failure::Protocol(_)), "{refused:?}");
    asked.join().unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    let plain = std::thread::spawn(move || plain.accept().unwrap().0.write_all(OK.as_bytes()));
    let refused = outbound.send(&get(&format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(refused, Failure::Tls(_)), "{refused:?}");
    plain.join().unwrap().unwrap();
    let refused = outbound.send(&get("http://no-such-name.invalid/")).await.unwrap_err();
    assert!(matches!(refused, Failure::Unknown { .. }), "{refused:?}");
    let long = format!("http://127.0.0.1/{}", "a".repeat(MAX_URL_BYTES));
    assert_eq!(outbound.send(&get(&long)).await.unwrap_err(), Failure::TooLong);
}

#[tokio::test]
async fn https_is_checked_and_a_local_authority_is_trusted_where_it_is_given() {
    let folder = std::env::temp_dir().join(format!("tokenhouse-outbound-{}", row_id(&Random::system())));
    std::fs::create_dir(&folder).unwrap();
    let now = Clock::system().now();
    let authority = Authority::open(&folder, now).unwrap();
    let tls = authority.serve_as(&["127.0.0.1".to_owned()], now).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let listeners = serve::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("https://{}/", listeners[0].local_addr().unwrap());
    let (_stop, stopping) = watch::channel(false);
    let api = Router::new().route("/", routing::get(async || "hi"));
    serve::spawn(listeners, api, Some(tls), stopping);
    let pem = Some(authority.pem().to_owned());
    let answer = Outbound::new(Reach::Private, pem).send(&get(&url)).await.unwrap();
    assert_eq!(answer.body.text(), Some("hi"));
    let refused = Outbound::new(Reach::Private, None).send(&get(&url)).await.unwrap_err();
    assert!(matches!(refused, Failure::Tls(_)), "{refused:?}");
}

#[test]
fn other_schemes_and_users_are_no_addresses() {
    for url in [
        "file:///etc/passwd",
        "ftp://a/",
        "gopher://a/",
        "http://a:b@c/",
        "http://",
        "data:,x",
        "//a/",
    ] {
        assert!(matches!(address(url), Err(Failure::Address(_))), "{url}");
    }
}
