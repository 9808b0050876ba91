"""The cases of the interop test. Each takes a channel and raises Failure, or grpcio's own error, if the server errs."""

import queue

import grpc

from test_service import (
    ECHO_INITIAL,
    ECHO_TRAILING,
    UNIMPLEMENTED_SERVICE,
    EchoStatus,
    Empty,
    ResponseParameters,
    SimpleRequest,
    StreamingInputCallRequest,
    StreamingOutputCallRequest,
    Stub,
    payload,
)

LARGE_REQUEST = 271_828
LARGE_RESPONSE = 314_159
REQUEST_SIZES = (27_182, 8, 1_828, 45_904)
RESPONSE_SIZES = (31_415, 9, 2_653, 58_979)
INITIAL_VALUE = "test_initial_metadata_value"
TRAILING_VALUE = b"\xab\xab\xab"
STATUS_MESSAGE = "test status message"
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"


class Failure(Exception):
    """The server did not do what the case asks for."""


class Requests:
    """An open request stream for grpcio: it iterates over what `send` is given until `finish`."""

    def __init__(self):
        self.queue = queue.SimpleQueue()

    def send(self, request):
        self.queue.put(request)

    def finish(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


def empty_unary(channel):
    reply = Stub(channel).EmptyCall(Empty())
    check("octets in the reply", reply.ByteSize(), 0)


def large_unary(channel):
    check_large_unary(Stub(channel))


def check_large_unary(stub):
    reply = stub.UnaryCall(large_request())
    check("octets of payload", len(reply.payload.body), LARGE_RESPONSE)


def client_streaming(channel):
    requests = (StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES)
    reply = Stub(channel).StreamingInputCall(requests)
    check("aggregated size", reply.aggregated_payload_size, sum(REQUEST_SIZES))


def server_streaming(channel):
    parameters = [ResponseParameters(size=size) for size in RESPONSE_SIZES]
    call = Stub(channel).StreamingOutputCall(StreamingOutputCallRequest(response_parameters=parameters))
    check("sizes of the replies", tuple(len(reply.payload.body) for reply in call), RESPONSE_SIZES)
    check_status(call, grpc.StatusCode.OK)


def ping_pong(channel):
    requests = Requests()
    call = Stub(channel).FullDuplexCall(iter(requests))
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.send(duplex_request(request_size, response_size))
        check("octets of payload", len(next_reply(call).payload.body), response_size)
    requests.finish()
    check("replies after the last turn", sum(1 for _ in call), 0)
    check_status(call, grpc.StatusCode.OK)


def empty_stream(channel):
    call = Stub(channel).FullDuplexCall(iter(()))
    check("replies", sum(1 for _ in call), 0)
    check_status(call, grpc.StatusCode.OK)


def custom_metadata(channel):
    metadata = ((ECHO_INITIAL, INITIAL_VALUE), (ECHO_TRAILING, TRAILING_VALUE))
    stub = Stub(channel)
    reply, call = stub.UnaryCall.with_call(large_request(), metadata=metadata)
    check("octets of payload", len(reply.payload.body), LARGE_RESPONSE)
    check_metadata(call)

    call = stub.FullDuplexCall(iter([duplex_request(LARGE_REQUEST, LARGE_RESPONSE)]), metadata=metadata)
    check("sizes of the replies", [len(reply.payload.body) for reply in call], [LARGE_RESPONSE])
    check_metadata(call)


def status_code_and_message(channel):
    stub = Stub(channel)
    status = EchoStatus(code=2, message=STATUS_MESSAGE)
    expect_status(stub.UnaryCall, SimpleRequest(response_status=status), grpc.StatusCode.UNKNOWN, STATUS_MESSAGE)
    call = stub.FullDuplexCall(iter([StreamingOutputCallRequest(response_status=status)]))
    check("replies", replies_before_end(call), 0)
    check_status(call, grpc.StatusCode.UNKNOWN, STATUS_MESSAGE)


def special_status_message(channel):
    request = SimpleRequest(response_status=EchoStatus(code=2, message=SPECIAL_MESSAGE))
    expect_status(Stub(channel).UnaryCall, request, grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)


def unimplemented_method(channel):
    expect_status(Stub(channel).UnimplementedCall, Empty(), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(channel):
    stub = Stub(channel, UNIMPLEMENTED_SERVICE)
    expect_status(stub.UnimplementedCall, Empty(), grpc.StatusCode.UNIMPLEMENTED)


def cancel_after_begin(channel):
    call = Stub(channel).StreamingInputCall.future(iter(Requests()))
    call.cancel()
    check("cancelled", call.cancelled(), True)
    check_status(call, grpc.StatusCode.CANCELLED)


def cancel_after_first_response(channel):
    requests = Requests()
    call = Stub(channel).FullDuplexCall(iter(requests))
    requests.send(duplex_request(REQUEST_SIZES[0], RESPONSE_SIZES[0]))
    check("octets of payload", len(next_reply(call).payload.body), RESPONSE_SIZES[0])
    call.cancel()
    check("replies after the cancellation", replies_before_end(call), 0)
    check_status(call, grpc.StatusCode.CANCELLED)


def timeout_on_sleeping_server(channel):
    requests = Requests()
    requests.send(StreamingOutputCallRequest(payload=payload(REQUEST_SIZES[0])))
    call = Stub(channel).FullDuplexCall(iter(requests), timeout=0.001)
    check("replies", replies_before_end(call), 0)
    check_status(call, grpc.StatusCode.DEADLINE_EXCEEDED)


def large_request():
    return SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))


def duplex_request(request_size, response_size):
    parameters = [ResponseParameters(size=response_size)]
    return StreamingOutputCallRequest(response_parameters=parameters, payload=payload(request_size))


def check(what, got, expected):
    if got != expected:
        raise Failure(f"{what}: {got!r}, expected {expected!r}")


def check_status(call, code, message=None):
    """The call ended with this code and, if given, exactly this message."""
    check("status", call.code(), code)
    if message is not None:
        check("status message", call.details(), message)


def check_metadata(call):
    """Both fields came back, once each, and only where they belong."""
    initial = [tuple(field) for field in call.initial_metadata()]
    trailing = [tuple(field) for field in call.trailing_metadata()]
    ours = (ECHO_INITIAL, ECHO_TRAILING)
    check("initial metadata", [field for field in initial if field[0] in ours], [(ECHO_INITIAL, INITIAL_VALUE)])
    check("trailers", [field for field in trailing if field[0] in ours], [(ECHO_TRAILING, TRAILING_VALUE)])
    check_status(call, grpc.StatusCode.OK)


def expect_status(method, request, code, message=None):
    """The unary call fails as it should."""
    try:
        method(request)
    except grpc.RpcError as error:
        check_status(error, code, message)
    else:
        raise Failure(f"status OK, expected {code.name}")


def next_reply(call):
    try:
        return next(call)
    except StopIteration:
        raise Failure("the stream ended before the reply") from None


def replies_before_end(call):
    """Counts the replies of a call of which the status is examined afterwards."""
    count = 0
    try:
        for _ in call:
            count += 1
    except grpc.RpcError:
        pass
    return count


CASES = {
    case.__name__: case
    for case in (
        empty_unary,
        large_unary,
        client_streaming,
        server_streaming,
        ping_pong,
        empty_stream,
        custom_metadata,
        status_code_and_message,
        special_status_message,
        unimplemented_method,
        unimplemented_service,
        cancel_after_begin,
        cancel_after_first_response,
        timeout_on_sleeping_server,
    )
}
