//! `tokenhouse dev` as the double of an issuer in other people's tests: faults on demand, seeds, a start in memory.

mod faults;
mod seeds;
mod tokens;
