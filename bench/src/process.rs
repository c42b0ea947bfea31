//! What the kernel says of a process: its processor time and its resident memory (`proc(5)`).

use std::fs;
use std::io;

/// Processor time of every living thread of process `pid`, in nanoseconds.
pub fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between its listing and its reading.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        sum += text
            .split_whitespace()
            .next()
            .and_then(|first| first.parse::<u64>().ok())
            .unwrap_or(0);
    }
    Ok(sum)
}

/// Resident memory of process `pid` in MiB: now, and at its most.
pub fn resident_mib(pid: u32) -> io::Result<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok((field_mib(&status, "VmRSS:"), field_mib(&status, "VmHWM:")))
}

/// The file system that holds `path`, as `type on device`.
pub fn filesystem(path: &str) -> io::Result<String> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    Ok(filesystem_in(&mounts, path))
}

fn filesystem_in(mounts: &str, path: &str) -> String {
    let holds = |place: &str| place == "/" || path == place || path.starts_with(&format!("{place}/"));
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    });
    // A later mount on the same place hides an earlier one.
    mounts
        .filter(|(_, place, _)| holds(place))
        .max_by_key(|(_, place, _)| place.len())
        .map_or_else(|| "unknown".into(), |(device, _, kind)| format!("{kind} on {device}"))
}

fn field_mib(status: &str, name: &str) -> f64 {
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = "overlay / overlay rw 0 0\n/dev/vda /data ext4 rw 0 0\ntmpfs /database tmpfs rw 0 0\n";
        assert_eq!(filesystem_in(mounts, "/data/folder"), "ext4 on /dev/vda");
        assert_eq!(filesystem_in(mounts, "/database"), "tmpfs on tmpfs");
        assert_eq!(filesystem_in(mounts, "/home"), "overlay on overlay");
    }

    #[test]
    fn this_process_has_memory_and_used_time() {
        let pid = std::process::id();
        assert!(resident_mib(pid).unwrap().0 > 0.1);
        assert!(cpu_ns(pid).unwrap() > 0);
    }
}
