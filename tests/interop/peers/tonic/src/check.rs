//! What the cases demand of a server.

use std::fmt::{self, Debug, Display};

use tonic::{Code, Status};

/// The server did not do what the case asks for. Displays as one line.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// A status where the case expects none.
impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self(describe(&status))
    }
}

impl From<tonic::transport::Error> for Failure {
    fn from(error: tonic::transport::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Self(format!("{error}{}", cause.unwrap_or_default()))
    }
}

/// Both must be the same.
pub(crate) fn equal<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Result<(), Failure> {
    if got == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}: {got:?}, expected {expected:?}")))
}

/// The call must fail with this code.
pub(crate) fn code<T>(result: Result<T, Status>, expected: Code) -> Result<(), Failure> {
    let status = failure(result, expected)?;
    if status.code() == expected {
        return Ok(());
    }
    Err(Failure(format!("{}, expected {expected:?}", describe(&status))))
}

/// The call must fail with this code and exactly this message.
pub(crate) fn code_and_message<T>(
    result: Result<T, Status>,
    expected: Code,
    message: &str,
) -> Result<(), Failure> {
    let status = failure(result, expected)?;
    equal("status message", status.message(), message)?;
    code(Err::<(), _>(status), expected)
}

fn failure<T>(result: Result<T, Status>, expected: Code) -> Result<Status, Failure> {
    match result {
        Ok(_) => Err(Failure(format!("no failure, expected {expected:?}"))),
        Err(status) => Ok(status),
    }
}

fn describe(status: &Status) -> String {
    format!("status {:?} {:?}", status.code(), status.message())
}
