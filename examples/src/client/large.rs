//! Messages larger than memory: one field of them passes in pieces, with flow control all the way.

use super::{Client, text};
use crate::data::{self, Crc};
use crate::greenhouse::{DownloadLogRequest, Firmware, Log};
use crate::{Failed, Say, check};

pub(super) async fn large(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    install_firmware(client, say).await?;
    download_log(client, say).await
}

/// A large request: its length is said first, then the octets are written as they are read from flash.
async fn install_firmware(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let firmware = Firmware {
        version: text("2.1.0"),
        ..Default::default()
    };

    let call = client
        .install_firmware(&firmware)
        .with_large_field(&IMAGE, data::LEN);
    let (mut image, mut reply) = call.await?;
    let mut piece = [0; 256];
    let mut crc = Crc::new();
    for offset in (0..data::LEN).step_by(piece.len()) {
        data::read(offset, &mut piece);
        crc.add(&piece);
        image.write(&piece).await?;
    }
    image.finish().await?;
    let installed = reply.next().await?.unwrap_or_default();

    say(format_args!(
        "large: firmware {} of {} octets installed, CRC {:08x}",
        installed.version, installed.octets, installed.crc
    ));
    check(installed.version == firmware.version, "another version arrived")?;
    check(installed.crc == crc.value(), "another image arrived")
}

/// A large response: what is read is gone from the receive buffer, and makes room for more.
async fn download_log(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let octets = u32::try_from(data::LEN).unwrap_or(u32::MAX);
    let request = DownloadLogRequest { octets };

    let mut reply = client.download_log(&request).streamed().await?;
    // The other fields of the message are kept here until its end.
    let mut scratch = [0; 64];
    let reader = reply.next_large(&TEXT, &mut scratch).await?;
    let mut reader = reader.ok_or(Failed::Check("no log came"))?;
    let mut piece = [0; 256];
    let (mut crc, mut received) = (Crc::new(), 0);
    loop {
        let read = reader.read(&mut piece).await?;
        let Some(octets @ [_, ..]) = piece.get(..read) else {
            break;
        };
        crc.add(octets);
        received += read;
    }
    let log: Log = reader.finish()?;

    say(format_args!(
        "large: {} of {received} octets read, CRC {:08x}",
        log.name,
        crc.value()
    ));
    check(received == data::LEN, "not as much as was asked for")?;
    check(crc.value() == log.crc, "another log arrived")?;
    check(reply.next().await?.is_none(), "two logs came")
}

/// Field numbers from the message to the large field: `Firmware.image`.
const IMAGE: [u32; 1] = [2];
/// `Log.text`.
const TEXT: [u32; 1] = [2];
