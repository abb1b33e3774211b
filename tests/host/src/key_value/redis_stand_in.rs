//! A stand-in for a Redis server, so that what depends on Redis' encodings is tested without one.
//!
//! It speaks RESP over loopback TCP on threads of its own, to the same client that a real server is
//! used with, and knows the commands that Spin's back end sends. `INCRBY` on a value that is no
//! decimal number fails in Redis' words.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;
use crate::runtime_config::StoreConfig;

type Data = Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>;

/// A running stand-in. Its threads end with their connections and with the process.
#[derive(Debug)]
pub struct RedisStandIn {
    address: SocketAddr,
    data: Data,
}

impl RedisStandIn {
    /// Starts one, empty, on a free port.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, data) = (listener.local_addr()?, Data::default());
        let shared = data.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // An error is the end of the connection.
                std::thread::spawn(move || drop(converse(&stream, &shared)));
            }
        });
        Ok(Self { address, data })
    }

    /// Its URL, for a runtime configuration.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// A store under the label `default` that is kept in it.
    ///
    /// # Panics
    /// Its own URL is none.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new("default", &StoreConfig::Redis(self.url())).expect("URL of the stand-in")
    }

    /// How many keys it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn converse(stream: &TcpStream, data: &Data) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let Some(words) = read_command(&mut reader)? else { return Ok(()) };
        let reply = {
            let mut data = data.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&words, &mut data)
        };
        let mut writer = stream;
        writer.write_all(&reply)?;
    }
}

/// An array of bulk strings; `None` at the end of the connection.
fn read_command(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Vec<Vec<u8>>>> {
    let Some(count) = read_number(reader, '*')? else { return Ok(None) };
    let mut words = Vec::new();
    for _ in 0..count {
        let length = read_number(reader, '$')?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word)?;
        word.truncate(length);
        words.push(word);
    }
    Ok(Some(words))
}

fn read_number(reader: &mut BufReader<&TcpStream>, mark: char) -> io::Result<Option<usize>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let number = line.trim_end().strip_prefix(mark).and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn answer(words: &[Vec<u8>], data: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let name = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let word = |index: usize| words.get(index).cloned().unwrap_or_default();
    match name.as_slice() {
        b"PING" => b"+PONG\r\n".to_vec(),
        b"CLIENT" | b"SELECT" => b"+OK\r\n".to_vec(),
        b"GET" => data.get(&word(1)).map_or_else(|| b"$-1\r\n".to_vec(), |value| bulk(value)),
        b"SET" => {
            data.insert(word(1), word(2));
            b"+OK\r\n".to_vec()
        }
        b"DEL" => integer(i64::from(data.remove(&word(1)).is_some())),
        b"EXISTS" => integer(i64::from(data.contains_key(&word(1)))),
        b"KEYS" => {
            let mut reply = format!("*{}\r\n", data.len()).into_bytes();
            data.keys().for_each(|key| reply.extend(bulk(key)));
            reply
        }
        b"INCRBY" => increment(data, word(1), &word(2)),
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}

fn increment(data: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: Vec<u8>, delta: &[u8]) -> Vec<u8> {
    let current = data.get(&key).map_or(Some(0), |value| decimal(value));
    match (current, decimal(delta)) {
        (Some(current), Some(delta)) => {
            let sum = current.wrapping_add(delta);
            data.insert(key, sum.to_string().into_bytes());
            integer(sum)
        }
        _ => b"-ERR value is not an integer or out of range\r\n".to_vec(),
    }
}

fn decimal(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn integer(number: i64) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

fn bulk(value: &[u8]) -> Vec<u8> {
    let mut reply = format!("${}\r\n", value.len()).into_bytes();
    reply.extend_from_slice(value);
    reply.extend_from_slice(b"\r\n");
    reply
}
