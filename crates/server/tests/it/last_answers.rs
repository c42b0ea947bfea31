//! Whoever sends more than is read hears why they were refused, and does not find the connection reset instead.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use tokenhouse::router::router;
use tokenhouse::serve;

use crate::house::House;

/// More than any body or head may have, and less than is thrown away.
const TOO_LONG_BYTES: usize = 2 * 1024 * 1024;

#[tokio::test]
async fn a_request_that_is_too_long_is_answered() {
    let house = House::new().await;
    let listeners = serve::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = tokio::spawn(serve::serve(listeners, router(&house.app), None, stopped));
    let rest = "x".repeat(TOO_LONG_BYTES);
    let head = |line: &str, type_: &str| {
        format!(
            "{line} HTTP/1.1\r\nhost: localhost:4000\r\ncontent-type: {type_}\r\ncontent-length: {TOO_LONG_BYTES}\r\n\r\n{rest}"
        )
    };
    let form = "application/x-www-form-urlencoded";
    for (what, request, status) in [
        ("a body", head("POST /oauth/token", form), 413),
        (
            "a body without a token",
            head("POST /api/v2/clients", "application/json"),
            401,
        ),
        (
            "a body where none is read",
            head("GET /healthz", "application/json"),
            200,
        ),
        ("a body at no path", head("POST /nothing", "application/json"), 404),
        (
            "a target",
            format!("GET /{rest} HTTP/1.1\r\nhost: localhost:4000\r\n\r\n"),
            431,
        ),
        (
            "a header",
            format!("GET / HTTP/1.1\r\nhost: localhost:4000\r\nx: {rest}\r\n\r\n"),
            431,
        ),
    ] {
        let answer = tokio::task::spawn_blocking(move || exchanged(address, &request))
            .await
            .unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
    }
    stop.send(true).unwrap();
    serving.await.unwrap();
}

/// Sends all of a request, then reads: the answer is lost if the connection was reset meanwhile.
fn exchanged(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(read.is_ok(), "{read:?} after {answer:?}");
    answer
}
