//! `tokenhouse dev` as the double of an issuer in other people's tests: faults on demand, seeds, a start in memory;
//! and the hosts that it answers for.

mod faults;
mod hosts;
mod seeds;
mod tokens;
