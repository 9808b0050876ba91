from concurrent.futures import ThreadPoolExecutor

import grpc

messages, services = grpc.protos_and_services("proto/fleet.proto")


class Fleet(services.FleetServicer):
    def Report(self, request, context):
        print(f"{request.device_id}: {request.millivolts} mV, {list(request.temperatures)} degrees", flush=True)
        return messages.ReportReply(next_in_seconds=60, note="thank you")


server = grpc.server(ThreadPoolExecutor())
services.add_FleetServicer_to_server(Fleet(), server)
server.add_insecure_port("127.0.0.1:50051")
server.start()
print("serving", flush=True)
server.wait_for_termination()
