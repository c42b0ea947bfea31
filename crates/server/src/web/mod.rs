//! What every door shares: which tenant a request is for, its body, the shape of an answer, CORS, and files.

pub mod answer;
pub mod body;
pub mod cors;
pub mod csv;
pub mod door;
pub mod ending;
pub mod linger;
pub mod multipart;
pub mod stream;
