//! What HTTP says about the fields of one section, in either direction. Spec: RFC 9113 sections 8.2 and 8.3.

use hpack_lite::HeaderField;

/// Why a section is malformed (section 8.1.1).
pub(super) type Malformed = &'static str;

/// What kind of section it is, which decides the pseudo-header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Request,
    Response,
    Trailers,
}

/// What has been seen of one section.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldRules {
    kind: SectionKind,
    /// One bit per pseudo-header field, and `HOST`.
    seen: u8,
    /// A regular field has come: no more pseudo-header fields may.
    regular: bool,
    /// `:status`, or 0.
    pub(super) status: u16,
    /// `content-length`.
    pub(super) content_length: Option<u64>,
    /// `:method` is HEAD.
    pub(super) is_head: bool,
}

impl FieldRules {
    pub(super) const fn new(kind: SectionKind) -> Self {
        Self {
            kind,
            seen: 0,
            regular: false,
            status: 0,
            content_length: None,
            is_head: false,
        }
    }

    /// The next field of the section. `value` may be the beginning alone of what was `truncated`: of pseudo-header
    /// fields that is as if they had not been seen.
    pub(super) fn check_received(&mut self, field: HeaderField<'_>) -> Result<(), Malformed> {
        if !field.truncated {
            return self.check(field.name, field.value);
        }
        if field.name.starts_with(b":") {
            return Ok(());
        }
        check_beginning(field.value)?;
        self.check_regular(field.name, field.value)
    }

    /// The next field of the section.
    pub(super) fn check(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        check_value(value)?;
        if let Some((b':', pseudo)) = name.split_first() {
            return self.check_pseudo(pseudo, value);
        }
        self.check_regular(name, value)
    }

    /// A regular field; the octets of its value have been checked.
    fn check_regular(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.regular = true;
        check_name(name)?;
        match name {
            // "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields" and
            // one that has them is malformed (8.2.2).
            // Spec: h2-8.2.2-connection-fields
            b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => {
                Err("connection-specific header field")
            }
            // Spec: h2-8.2.2-te
            b"te" if value != b"trailers" => Err("te other than trailers"),
            b"content-length" if self.kind != SectionKind::Trailers => self.check_content_length(value),
            // Spec: h2-8.3.1-host-repeated
            b"host" if self.kind == SectionKind::Request => self.once(HOST, "repeated host"),
            _ => Ok(()),
        }
    }

    /// The section is complete; `skipped` fields of it were above a limit and never seen.
    pub(super) const fn finish(&self, skipped: u32) -> Result<(), Malformed> {
        match self.kind {
            // Spec: h2-8.3.2-no-status
            SectionKind::Response if self.seen & STATUS == 0 => Err("response without :status"),
            // A :path above the limits is for the application to refuse, with an answer (10.5.1).
            // Spec: h2-8.3.1-missing
            SectionKind::Request if self.seen & REQUIRED != REQUIRED && skipped == 0 => {
                Err("request without :method, :scheme or :path")
            }
            _ => Ok(()),
        }
    }

    /// A client's own request: one `:authority`, and no `host` that could differ from it (8.3.1).
    pub(super) const fn is_complete_request(&self) -> bool {
        // Spec: h2-8.3.1-request-fields, h2-8.3.1-sends-no-host
        self.seen & (REQUIRED | AUTHORITY | HOST) == REQUIRED | AUTHORITY
    }

    /// False for a field that nobody is to hear of: of an interim response, or `host` beside `:authority`. "The recipient
    /// of an HTTP/2 request MUST NOT use the Host header field to determine the target URI if ':authority' is present"
    /// (8.3.1; gRFC A41).
    pub(super) fn is_reported(&self, name: &[u8]) -> bool {
        let is_request = self.kind == SectionKind::Request;
        // Spec: h2-8.3.1-host-discarded, h2-8.3.1-host-for-authority
        let second_host = is_request && self.seen & AUTHORITY != 0 && name == b"host";
        // Spec: grpc-http-1xx, h2-8.1-interim
        !second_host && !self.is_interim()
    }

    pub(super) const fn kind(&self) -> SectionKind {
        self.kind
    }

    /// 1xx: another section follows.
    pub(super) const fn is_interim(&self) -> bool {
        self.status >= 100 && self.status < 200
    }

    /// "Pseudo-header fields defined for requests MUST NOT appear in responses ... MUST NOT appear in a trailer
    /// section ... All pseudo-header fields MUST appear ... before regular" fields, each at most once (8.3).
    fn check_pseudo(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        // Spec: h2-8.3-order
        if self.regular {
            return Err("pseudo-header field after a regular field");
        }
        // Spec: h2-8.3.1-empty-path
        if value.is_empty() && !(self.kind == SectionKind::Request && name == b"authority") {
            return Err("empty pseudo-header field");
        }
        match (self.kind, name) {
            (SectionKind::Response, b"status") => {
                self.once(STATUS, "repeated :status")?;
                self.status = parse_status(value).ok_or(":status is not three digits")?;
                // 101 belongs to HTTP/1.1's upgrade mechanism (8.6).
                if self.status == 101 {
                    Err(":status 101")
                } else {
                    Ok(())
                }
            }
            (SectionKind::Request, b"method") => {
                self.is_head = value == b"HEAD";
                self.once(METHOD, "repeated :method")
            }
            (SectionKind::Request, b"scheme") => self.once(SCHEME, "repeated :scheme"),
            (SectionKind::Request, b"path") => self.once(PATH, "repeated :path"),
            (SectionKind::Request, b"authority") => self.once(AUTHORITY, "repeated :authority"),
            // Spec: h2-8.3-trailers
            (SectionKind::Trailers, _) => Err("pseudo-header field in trailers"),
            // Spec: h2-8.3-undefined, h2-8.3-direction
            _ => Err("pseudo-header field that is not defined here"),
        }
    }

    /// Several equal values are as good as one; anything but digits, or different values, is malformed.
    fn check_content_length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        let length = parse_decimal(value).ok_or("content-length is not a number")?;
        match self.content_length.replace(length) {
            Some(earlier) if earlier != length => Err("content-length contradicts itself"),
            _ => Ok(()),
        }
    }

    const fn once(&mut self, bit: u8, reason: Malformed) -> Result<(), Malformed> {
        // Spec: h2-8.3-repeated
        if self.seen & bit != 0 {
            return Err(reason);
        }
        self.seen |= bit;
        Ok(())
    }
}

/// Field names are lower-case tokens (8.2.1; RFC 9110 section 5.6.2).
fn check_name(name: &[u8]) -> Result<(), Malformed> {
    // `contains` would link core's search for a byte, which can panic.
    let mark = |octet: &u8| {
        matches!(
            octet,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'
        )
    };
    let token = |octet: &u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || mark(octet);
    // Spec: h2-8.2-upper-case, h2-8.2.1-name-bytes, h2-8.2.1-name-colon
    if !name.is_empty() && name.iter().all(token) {
        Ok(())
    } else {
        Err("field name is not a lower-case token")
    }
}

/// "A field value MUST NOT contain the zero value (0x00), line feed (0x0a), or carriage return (0x0d) ... MUST NOT
/// start or end with an ASCII whitespace character" (8.2.1).
fn check_value(value: &[u8]) -> Result<(), Malformed> {
    // Spec: h2-8.2.1-value-edges
    if matches!(value.last(), Some(b' ' | b'\t')) {
        return Err(BLANKS);
    }
    check_beginning(value)
}

/// The same of a value whose end is not there.
fn check_beginning(value: &[u8]) -> Result<(), Malformed> {
    // Spec: h2-8.2.1-value-bytes
    if value.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')) {
        return Err("field value with NUL, CR or LF");
    }
    // Spec: h2-8.2.1-value-edges
    if matches!(value.first(), Some(b' ' | b'\t')) {
        return Err(BLANKS);
    }
    Ok(())
}

const BLANKS: Malformed = "field value with blanks around it";

fn parse_status(value: &[u8]) -> Option<u16> {
    let [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = value else {
        return None;
    };
    let digit = |octet: &u8| u16::from(octet.saturating_sub(b'0'));
    let status = digit(hundreds)
        .saturating_mul(100)
        .saturating_add(digit(tens).saturating_mul(10));
    Some(status.saturating_add(digit(ones)))
}

fn parse_decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, octet| {
        let digit = octet.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

const METHOD: u8 = 0x01;
const SCHEME: u8 = 0x02;
const PATH: u8 = 0x04;
const AUTHORITY: u8 = 0x08;
const STATUS: u8 = 0x10;
const HOST: u8 = 0x20;
const REQUIRED: u8 = METHOD | SCHEME | PATH;

#[cfg(test)]
mod tests {
    use super::*;

    fn response(fields: &[(&str, &str)]) -> Result<FieldRules, Malformed> {
        let mut rules = FieldRules::new(SectionKind::Response);
        for (name, value) in fields {
            rules.check(name.as_bytes(), value.as_bytes())?;
        }
        rules.finish(0).map(|()| rules)
    }

    // Spec: h2-8.2-upper-case, h2-8.2.1-name-bytes, h2-8.2.1-name-colon
    #[test]
    fn names_outside_lower_case_token_are_malformed_8_2_1() {
        for octet in 0..=255_u8 {
            let valid =
                octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&octet);
            assert_eq!(check_name(&[b'x', octet]).is_ok(), valid, "{octet:#04x}");
        }
        assert!(check_name(b"").is_err());
    }

    // Spec: h2-8.2.1-value-bytes, h2-8.2.1-value-edges
    #[test]
    fn values_with_nul_cr_lf_or_edge_blanks_are_malformed_8_2_1() {
        for octet in 0..=255_u8 {
            assert_eq!(
                check_value(&[b'x', octet, b'x']).is_ok(),
                !matches!(octet, 0 | 10 | 13),
                "{octet:#04x}"
            );
        }
        for bad in [&b" x"[..], b"x ", b"\tx", b"x\t", b" "] {
            assert!(check_value(bad).is_err());
        }
        assert!(check_value(b"").is_ok());
    }

    // Spec: h2-8.3.2-no-status
    #[test]
    fn status_is_required_once_first_and_three_digits_8_3_2() {
        assert_eq!(response(&[(":status", "204"), ("a", "b")]).unwrap().status, 204);
        for bad in ["", "20", "2000", "2x0", "099", "-20", "101"] {
            assert!(response(&[(":status", bad)]).is_err(), "{bad}");
        }
        assert!(response(&[("a", "b")]).is_err());
        assert!(response(&[(":status", "200"), (":status", "200")]).is_err());
        assert!(response(&[("a", "b"), (":status", "200")]).is_err());
        assert!(response(&[(":status", "200"), (":path", "/")]).is_err());
        assert!(response(&[(":status", "200"), (":unknown", "/")]).is_err());
    }

    // Spec: h2-8.2.2-connection-fields, h2-8.2.2-te
    #[test]
    fn connection_specific_fields_are_malformed_8_2_2() {
        for name in [
            "connection",
            "proxy-connection",
            "keep-alive",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(response(&[(":status", "200"), (name, "x")]).is_err(), "{name}");
        }
        assert!(response(&[(":status", "200"), ("te", "gzip")]).is_err());
        assert!(response(&[(":status", "200"), ("te", "trailers")]).is_ok());
    }

    #[test]
    fn content_length_is_one_number_8_1_1() {
        assert_eq!(
            response(&[(":status", "200"), ("content-length", "42")])
                .unwrap()
                .content_length,
            Some(42)
        );
        for bad in ["", "-1", "1 ", "0x1", "18446744073709551616", "1,1"] {
            assert!(
                response(&[(":status", "200"), ("content-length", bad)]).is_err(),
                "{bad}"
            );
        }
        assert!(
            response(&[
                (":status", "200"),
                ("content-length", "1"),
                ("content-length", "2")
            ])
            .is_err()
        );
        assert!(
            response(&[
                (":status", "200"),
                ("content-length", "1"),
                ("content-length", "1")
            ])
            .is_ok()
        );
    }

    // Spec: h2-8.3.1-missing, h2-8.3.1-request-fields
    #[test]
    fn request_needs_method_scheme_and_path_once_8_3_1() {
        let request = |fields: &[(&str, &str)]| {
            let mut rules = FieldRules::new(SectionKind::Request);
            for (name, value) in fields {
                rules.check(name.as_bytes(), value.as_bytes())?;
            }
            rules.finish(0).map(|()| rules)
        };
        let good = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "a"),
        ];
        assert!(request(&good).unwrap().is_complete_request());
        assert!(!request(&good[..3]).unwrap().is_complete_request());
        for missing in 0..3 {
            let mut fields = good.to_vec();
            fields.remove(missing);
            assert!(request(&fields).is_err());
        }
        for repeated in 0..4 {
            let mut fields = good.to_vec();
            fields.push(good[repeated]);
            assert!(request(&fields).is_err());
        }
        assert!(request(&[(":path", "")]).is_err());
        assert!(request(&[(":status", "200")]).is_err());
        assert!(request(&[("host", "a"), ("host", "a")]).is_err());
    }
}
