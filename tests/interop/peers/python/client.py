"""The interop test's client on grpcio. The exit code is the verdict: 0 pass, 1 fail (one line says why), 2 wrong usage.

It waits as long as the server does; who runs it limits the time.
"""

import argparse
import os

import grpc

import cases
from test_service import LARGEST_MESSAGE, Stub

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    # Without this a second channel to the same address would share the first one's connection.
    ("grpc.use_local_subchannel_pool", 1),
]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server_host", default="127.0.0.1")
    parser.add_argument("--server_port", type=int, required=True)
    parser.add_argument("--test_case", choices=sorted(cases.CASES) + sorted(SOAKS), required=True)
    parser.add_argument("--soak_iterations", type=count, default=10)
    parser.add_argument("--soak_max_failures", type=int, default=0)
    parser.add_argument("--use_tls", choices=["false"], default="false", help="plaintext only")
    return parser.parse_args()


def count(text):
    """A number of calls. None at all would prove nothing."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def connect(arguments):
    return grpc.insecure_channel(f"{arguments.server_host}:{arguments.server_port}", OPTIONS)


def run_case(arguments):
    with connect(arguments) as channel:
        cases.CASES[arguments.test_case](channel)


def rpc_soak(arguments):
    """large_unary over and over on one channel."""
    with connect(arguments) as channel:
        stub = Stub(channel)
        repeat(arguments, lambda: cases.check_large_unary(stub))


def channel_soak(arguments):
    """large_unary over and over, each time on a new channel."""

    def once():
        with connect(arguments) as channel:
            cases.check_large_unary(Stub(channel))

    repeat(arguments, once)


def repeat(arguments, once):
    failures = []
    for iteration in range(arguments.soak_iterations):
        try:
            once()
        except (cases.Failure, grpc.RpcError) as error:
            failures.append(f"iteration {iteration}: {describe(error)}")
    if len(failures) > arguments.soak_max_failures:
        raise cases.Failure(f"{len(failures)} of {arguments.soak_iterations} failed, first {failures[0]}")


def describe(error):
    if isinstance(error, grpc.RpcError):
        return f"status {error.code().name}: {error.details()!r}"
    return str(error)


SOAKS = {"rpc_soak": rpc_soak, "channel_soak": channel_soak}


def main():
    arguments = parse_arguments()
    name = arguments.test_case
    try:
        SOAKS.get(name, run_case)(arguments)
    except (cases.Failure, grpc.RpcError) as error:
        leave(1, f"{name}: FAIL: {describe(error)}")
    leave(0, f"{name}: pass")


def leave(code, verdict):
    """Ends the process at once: grpcio's threads can make an orderly end fail, whatever the verdict was."""
    print(verdict, flush=True)
    os._exit(code)


if __name__ == "__main__":
    main()
