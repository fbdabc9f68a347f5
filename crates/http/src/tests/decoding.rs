//! Content codings, sound and unsound.

use super::wire::{Ending, World, get};
use crate::tests::wire::say;
use crate::{Coding, DecodeError, DecodeLimits, Decoded, Limits};
use async_compression::futures::write::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use futures_util::AsyncWriteExt;
use glasstack_journal::event::{Event, Http};

macro_rules! encoded {
    ($encoder:ident, $data:expr) => {{
        let world = World::new();
        world.run(async {
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all($data).await.unwrap();
            encoder.close().await.unwrap();
            encoder.into_inner()
        })
    }};
}

fn decode(world: &World, codings: &str, data: &[u8], limits: DecodeLimits) -> Result<Vec<u8>, DecodeError> {
    let mut wire =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: {codings}\r\nContent-Length: {}\r\n\r\n", data.len())
            .into_bytes();
    wire.extend_from_slice(data);
    world.run(async {
        let mut connection =
            world.client(Limits::default(), |end| say(end, wire.leak(), Ending::Silence)).await;
        let response = connection.send(&world.scope, get("/")).await.unwrap();
        let codings = Coding::of(&response.head.headers)?;
        let mut decoded = Decoded::new(response.body, codings, limits);
        let mut whole = Vec::new();
        while let Some(chunk) = decoded.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        assert_eq!(connection.reusable().await, Ok(()), "the body was not read to its end");
        Ok(whole)
    })
}

fn plainly(codings: &str, data: &[u8]) -> Result<Vec<u8>, DecodeError> {
    decode(&World::new(), codings, data, DecodeLimits::default())
}

#[test]
fn every_coding_is_undone_and_its_connection_stays_useful() {
    let text = b"hello hello hello".repeat(5000);
    assert_eq!(plainly("gzip", &encoded!(GzipEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("X-GZIP", &encoded!(GzipEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("br", &encoded!(BrotliEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("zstd", &encoded!(ZstdEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("deflate", &encoded!(ZlibEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("deflate", &encoded!(DeflateEncoder, &text)).unwrap(), text);
    assert_eq!(plainly("identity", &text).unwrap(), text);
}

#[test]
fn codings_are_undone_in_reverse_and_counted() {
    let text = b"hello";
    let world = World::new();
    let twice = encoded!(BrotliEncoder, &encoded!(GzipEncoder, text));
    assert_eq!(decode(&world, "gzip, br", &twice, DecodeLimits::default()).unwrap(), text);
    let told = world.records().into_iter().find_map(|record| match record.event {
        Event::Http(Http::BodyReceived { transferred, decoded, coding }) => {
            Some((transferred, decoded, coding))
        }
        _ => None,
    });
    assert_eq!(told, Some((twice.len() as u64, 5, Some("gzip, br".to_owned()))));
}

#[test]
fn gzip_may_have_several_members_and_an_empty_body_is_empty() {
    let two = [encoded!(GzipEncoder, b"one "), encoded!(GzipEncoder, b"two")].concat();
    assert_eq!(plainly("gzip", &two).unwrap(), b"one two");
    for coding in ["gzip", "br", "zstd", "deflate"] {
        assert_eq!(plainly(coding, b"").unwrap(), b"", "{coding}");
    }
}

#[test]
fn data_that_are_not_what_they_claim_are_corrupt() {
    for coding in ["gzip", "zstd", "deflate"] {
        let error = plainly(coding, b"xello, this is no compressed text").unwrap_err();
        assert!(matches!(error, DecodeError::Corrupt { .. }), "{coding}: {error:?}");
    }
    let mut broken = encoded!(GzipEncoder, b"hello");
    let checksum = broken.len() - 8;
    broken[checksum] ^= 1;
    assert!(matches!(plainly("gzip", &broken), Err(DecodeError::Corrupt { .. })));
}

#[test]
fn data_that_end_early_are_told_so() {
    for (coding, data) in [
        ("gzip", encoded!(GzipEncoder, &b"hello".repeat(100))),
        ("br", encoded!(BrotliEncoder, &b"hello".repeat(100))),
        ("zstd", encoded!(ZstdEncoder, &b"hello".repeat(100))),
        ("deflate", encoded!(ZlibEncoder, &b"hello".repeat(100))),
    ] {
        let error = plainly(coding, &data[..data.len() - 5]).unwrap_err();
        assert!(matches!(error, DecodeError::EndsEarly { .. }), "{coding}: {error:?}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_anything() {
    let zeros = vec![0; 4 << 20];
    let limits = DecodeLimits { free: 1 << 16, expansion: 10, max: None };
    for (coding, data) in [
        ("gzip", encoded!(GzipEncoder, &zeros)),
        ("br", encoded!(BrotliEncoder, &zeros)),
        ("zstd", encoded!(ZstdEncoder, &zeros)),
    ] {
        let error = decode(&World::new(), coding, &data, limits.clone()).unwrap_err();
        assert!(matches!(error, DecodeError::Bomb { .. }), "{coding}: {error:?}");
    }
}

#[test]
fn unknown_codings_and_too_many_of_them_are_refused() {
    let error = plainly("gzip, pied-piper", b"").unwrap_err();
    assert!(matches!(&error, DecodeError::UnknownCoding { coding } if coding == "pied-piper"), "{error:?}");
    let error = plainly("gzip, gzip, gzip, gzip, gzip, gzip", b"").unwrap_err();
    assert!(matches!(error, DecodeError::TooManyCodings { count: 6 }), "{error:?}");
}

#[test]
fn whatever_the_data_are_decoding_ends() {
    let text = b"hello hello hello".repeat(50);
    let seeds = [
        ("gzip", encoded!(GzipEncoder, &text)),
        ("br", encoded!(BrotliEncoder, &text)),
        ("zstd", encoded!(ZstdEncoder, &text)),
        ("deflate", encoded!(ZlibEncoder, &text)),
    ];
    for (coding, seed) in &seeds {
        for at in 0..seed.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut data = seed.clone();
                data[at] ^= flip;
                let _ = plainly(coding, &data);
            }
        }
    }
}
