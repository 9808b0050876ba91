//! What calls cost: HTTP/2 octets as the server counts them.

use std::collections::BTreeMap;

use crate::words;

/// One call as the server saw it, with the counters of its connection when the request had arrived whole and nothing of
/// the response was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallRecord {
    pub(crate) connection: u64,
    pub(crate) method: String,
    /// False for a call that was cancelled or cut off before its answer.
    pub(crate) answered: bool,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// The whole line, with what the request asked for.
    line: String,
}

impl CallRecord {
    /// Reads `call connection=1 method=Report sequence=0 answered=yes received=2 sent=3`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("call ")?;
        Some(Self {
            connection: words::number(rest, "connection")?,
            method: words::value(rest, "method")?.to_owned(),
            answered: words::value(rest, "answered")? == "yes",
            received: words::number(rest, "received")?,
            sent: words::number(rest, "sent")?,
            line: rest.to_owned(),
        })
    }

    /// Reads what a device that serves logs: `method=Report sequence=0 answered=yes`. It has one client, and counts no
    /// octets.
    pub(crate) fn of_device(line: &str) -> Option<Self> {
        Self::parse(&format!("call connection=1 {line} received=0 sent=0"))
    }

    /// What the request asked for under `key`.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        words::number(&self.line, key)
    }
}

/// Octets of one call, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Device to server: the request, and control frames since the call before.
    pub(crate) up: u64,
    /// Server to device: the response.
    pub(crate) down: u64,
}

/// Lines of the table: what kind of call, and the median over its calls.
///
/// Only calls that another one follows on their connection are counted: the octets of a response are known when the
/// next request has arrived.
pub(crate) fn costs(records: &[CallRecord]) -> Vec<(String, Cost)> {
    let mut kinds: BTreeMap<(bool, &str), Vec<Cost>> = BTreeMap::new();
    for (index, call) in records.iter().enumerate() {
        let same = |other: &&CallRecord| other.connection == call.connection;
        let before = records[..index].iter().rfind(same);
        let Some(next) = records[index + 1..].iter().find(same) else {
            continue;
        };
        let up = call.received - before.map_or(0, |before| before.received);
        let down = next.sent - call.sent;
        kinds
            .entry((before.is_some(), &call.method))
            .or_default()
            .push(Cost { up, down });
    }
    let name = |(is_later, method): (bool, &str)| {
        if is_later {
            format!("later {method}")
        } else {
            format!("first {method} of a connection, with its set-up")
        }
    };
    kinds
        .into_iter()
        .map(|(kind, costs)| (name(kind), median(&costs)))
        .collect()
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |pick: fn(&Cost) -> u64| {
        let mut values: Vec<u64> = costs.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Cost {
        up: middle(|cost| cost.up),
        down: middle(|cost| cost.down),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(connection: u64, method: &str, received: u64, sent: u64) -> CallRecord {
        let line = format!(
            "call connection={connection} method={method} answered=yes received={received} sent={sent}"
        );
        CallRecord::parse(&line).unwrap()
    }

    #[test]
    fn costs_are_differences_on_one_connection() {
        let records = [
            record(1, "Report", 200, 50),
            record(2, "Report", 900, 900),
            record(1, "Report", 260, 150),
            record(1, "Report", 320, 190),
        ];
        let costs = costs(&records);
        assert_eq!(costs[0].1, Cost { up: 200, down: 100 });
        assert_eq!(costs[1], ("later Report".to_owned(), Cost { up: 60, down: 40 }));
        assert_eq!(costs.len(), 2);
    }

    #[test]
    fn parse_reads_the_servers_line() {
        let line = "call connection=1 method=Report sequence=7 answered=no received=2 sent=3";
        let call = CallRecord::parse(line).unwrap();
        assert_eq!(
            (call.connection, call.method.as_str(), call.answered),
            (1, "Report", false)
        );
        assert_eq!(
            (call.received, call.sent, call.number("sequence")),
            (2, 3, Some(7))
        );
        assert_eq!(CallRecord::parse("call connection=1"), None);
    }
}
