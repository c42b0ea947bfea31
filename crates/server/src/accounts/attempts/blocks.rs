//! Who cannot try now, and letting them try again: what an administrator sees and does about failed logins.

use std::net::IpAddr;

use tokenhouse_protocol::id::TenantId;

use super::{Attempts, Count, Room, update};
use crate::caller::subscriber;

impl Attempts {
    /// The addresses from which an account cannot be tried now; of an IPv6 network its first.
    pub fn blocked(&self, tenant: &TenantId, account: &str) -> Vec<IpAddr> {
        let counts = self.lock();
        let blocked = counts.accounts.iter().filter(|((of, name, _), count)| {
            let room = self.room(self.current(Some(*count)), self.per_account);
            of == tenant && name == account && matches!(room, Room::No(_))
        });
        blocked.map(|((_, _, address), _)| address).collect()
    }

    /// Forgets the failures of an account, from wherever they came.
    pub fn forgive(&self, tenant: &TenantId, account: &str) {
        let counts = self.lock();
        counts.accounts.retain(|(of, name, _), count| {
            let is_forgiven = of == tenant && name == account && count.pending == 0;
            !is_forgiven
        });
    }

    /// Whether no account can be tried from an address now, since too many failed from there.
    pub fn is_address_blocked(&self, tenant: &TenantId, address: IpAddr) -> bool {
        let counts = self.lock();
        let count = counts.addresses.get(&(tenant.clone(), subscriber(address)));
        matches!(self.room(self.current(count), self.per_address), Room::No(_))
    }

    /// Forgets the failures from an address, at whichever accounts.
    pub fn forgive_address(&self, tenant: &TenantId, address: IpAddr) {
        let key = (tenant.clone(), subscriber(address));
        update(&self.lock().addresses, &key, |count| Count { failed: 0, ..count });
    }
}
