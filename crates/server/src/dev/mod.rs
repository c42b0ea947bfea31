//! What exists only for `tokenhouse dev`: its data folder, its samples, and what it tells a newcomer.

pub mod authority;
pub mod folder;
pub mod seed;
pub mod welcome;
