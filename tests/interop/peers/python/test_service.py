"""grpc.testing.TestService for grpcio, made at run time from ../../proto: no generated code lies about."""

import pathlib
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
SERVICE = "grpc.testing.TestService"
UNIMPLEMENTED_SERVICE = "grpc.testing.UnimplementedService"
ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
LARGEST_MESSAGE = 1 << 20  # octets


def load_pool():
    """Compiles the .proto files and gives a pool with all their types."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "test.binpb"
        options = [f"-I{PROTO}", "--include_imports", f"--descriptor_set_out={out}"]
        if protoc.main(["protoc", *options, "grpc/testing/test.proto"]) != 0:
            raise SystemExit(f"the files in {PROTO} do not compile")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


POOL = load_pool()


def message(name):
    """The class of the message of this short name."""
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"grpc.testing.{name}"))


Empty = message("Empty")
EchoStatus = message("EchoStatus")
Payload = message("Payload")
ResponseParameters = message("ResponseParameters")
SimpleRequest = message("SimpleRequest")
SimpleResponse = message("SimpleResponse")
StreamingInputCallRequest = message("StreamingInputCallRequest")
StreamingInputCallResponse = message("StreamingInputCallResponse")
StreamingOutputCallRequest = message("StreamingOutputCallRequest")
StreamingOutputCallResponse = message("StreamingOutputCallResponse")


def kind(method):
    """unary_unary, unary_stream, stream_unary or stream_stream: grpcio's names for the four kinds of call."""
    request = "stream" if method.client_streaming else "unary"
    response = "stream" if method.server_streaming else "unary"
    return f"{request}_{response}"


class Stub:
    """Has a grpcio callable for every method of a service, by the method's name."""

    def __init__(self, channel, service=SERVICE):
        for method in POOL.FindServiceByName(service).methods:
            multi_callable = getattr(channel, kind(method))(
                f"/{service}/{method.name}",
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
            )
            setattr(self, method.name, multi_callable)


def payload(size):
    """`size` zeros."""
    return Payload(body=bytes(size))
