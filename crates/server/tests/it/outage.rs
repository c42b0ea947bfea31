//! What the process's own log says while the database cannot be used: not a line for each request.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::house::{AUDIENCE, Ask, House, with_secret};

#[tokio::test]
async fn an_outage_is_told_once_and_then_summed_by_the_second() {
    let house = House::new().await;
    let said = Said::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(said.clone());
    let _listening = tracing::subscriber::set_default(subscriber.finish());
    // Warm, so that what fails is to record the token.
    assert_eq!(token(&house).await, 200);
    house.app.house.store.close().await;
    for _ in 0..50 {
        assert_eq!(token(&house).await, 503);
        assert_eq!(house.ask(Ask::get("/.well-known/jwks.json")).await.status, 200);
    }
    let lines = said.take();
    assert_eq!(count(&lines, "refused"), 1, "{lines}");
    for _ in 0..3 {
        house.advance_s(1);
        for _ in 0..50 {
            assert_eq!(token(&house).await, 503);
        }
        let lines = said.take();
        assert_eq!(count(&lines, "refused: and "), 1, "{lines}");
        assert_eq!(count(&lines, "refused"), 1, "{lines}");
    }
    house.advance_s(1);
    house.app.house.store.outages().flush();
    let lines = said.take();
    assert_eq!(count(&lines, "refused: and 50 more"), 1, "{lines}");
}

async fn token(house: &House) -> u16 {
    let fields = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let fields = with_secret(&house.samples.sample, &fields);
    house.ask(Ask::token(&fields)).await.status
}

fn count(lines: &str, words: &str) -> usize {
    lines
        .lines()
        .filter(|line| line.contains("ERROR") && line.contains(words))
        .count()
}

/// What was said on this thread.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl MakeWriter<'_> for Said {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
