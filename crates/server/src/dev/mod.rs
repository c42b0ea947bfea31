//! What exists only for `tokenhouse dev`: its data folder, its hosts, its samples or its seed, what it tells a newcomer, and the
//! faults that tests ask for.

pub mod administrator;
pub mod authority;
pub mod door;
pub mod faults;
pub mod folder;
mod forge;
pub mod hosts;
pub mod seed;
pub mod seed_file;
pub mod seeded;
pub mod welcome;
pub mod welcome_seeded;
