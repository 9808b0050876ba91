"""The telemetry service on Python's grpcio: a gRPC implementation that shares no code with the Rust ones.

    telemetry_server.py DESCRIPTOR_SET [PORT]

Messages are built at run time from a serialized FileDescriptorSet, so that no code has to be generated.
Prints `listening port=N` and serves until its standard input ends. What it answers is described in
proto/telemetry/v1/telemetry.proto.
"""

import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "telemetry.v1"
SERVICE = PACKAGE + ".Telemetry"
ECHO_INITIAL = "x-telemetry-echo"
ECHO_TRAILING = "x-telemetry-echo-bin"
PAYLOAD_OCTET = b"\xa5"
LARGEST_REPLY = 1 << 20
MESSAGES = (
    "ReportRequest",
    "ReportReply",
    "DiagnoseRequest",
    "DiagnoseReply",
    "SubscribeRequest",
    "Reading",
    "UploadReply",
)
CODES = {code.value[0]: code for code in grpc.StatusCode}


def load_messages(path):
    """Message classes of the package by their short names."""
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES
    }


class Telemetry:
    """The service's methods."""

    def __init__(self, messages):
        self.messages = messages
        self.lock = threading.Lock()
        self.reports = 0

    def store(self, request):
        with self.lock:
            self.reports += 1
            total = self.reports
        return self.messages["ReportReply"](
            sequence=request.sequence,
            received_unix_ms=time.time_ns() // 1_000_000,
            note=f"stored as number {total}",
            nonce=request.nonce,
            total_reports=total,
        )

    def report(self, request, context):
        metadata = context.invocation_metadata()
        context.send_initial_metadata([(key, value) for key, value in metadata if key == ECHO_INITIAL])
        context.set_trailing_metadata([(key, value) for key, value in metadata if key == ECHO_TRAILING])
        return self.store(request)

    def subscribe(self, request, context):
        for sequence in range(request.count):
            time.sleep(request.interval_ms / 1000)
            yield self.messages["Reading"](sequence=sequence, millivolts=3300 + sequence)

    def upload(self, requests, context):
        stored = sum(1 for _ in map(self.store, requests))
        return self.messages["UploadReply"](stored=stored, total_reports=self.reports)

    def exchange(self, requests, context):
        yield from map(self.store, requests)

    def diagnose(self, request, context):
        time.sleep(request.delay_ms / 1000)
        if request.status_code:
            if request.status_details:
                context.set_trailing_metadata([("grpc-status-details-bin", request.status_details)])
            context.abort(CODES.get(request.status_code, grpc.StatusCode.UNKNOWN), request.status_message)
        size = min(request.reply_size, LARGEST_REPLY)
        return self.messages["DiagnoseReply"](payload=PAYLOAD_OCTET * size)


def handler(messages):
    """Routes the service's paths to its methods."""
    service = Telemetry(messages)

    def method(kind, function, request, reply):
        return kind(
            function,
            request_deserializer=messages[request].FromString,
            response_serializer=messages[reply].SerializeToString,
        )

    unary, server_stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    client_stream, both = grpc.stream_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    methods = {
        "Report": method(unary, service.report, "ReportRequest", "ReportReply"),
        "Diagnose": method(unary, service.diagnose, "DiagnoseRequest", "DiagnoseReply"),
        "Subscribe": method(server_stream, service.subscribe, "SubscribeRequest", "Reading"),
        "Upload": method(client_stream, service.upload, "ReportRequest", "UploadReply"),
        "Exchange": method(both, service.exchange, "ReportRequest", "ReportReply"),
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)


def main():
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([handler(load_messages(sys.argv[1]))])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print(f"listening port={port}", flush=True)
    # Whoever started this closes the pipe, or dies and so closes it.
    sys.stdin.buffer.read()
    server.stop(0)


if __name__ == "__main__":
    main()
