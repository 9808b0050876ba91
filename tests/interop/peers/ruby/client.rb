# The cases that the client of Ruby's grpc gem lacks: special_status_message and the two soaks. The stubs are the gem's.
# The exit code is the verdict: an exception that nobody rescues ends with 1.

require 'grpc'
require 'optparse'

gem_folder = Gem::Specification.find_by_name('grpc').full_gem_path
$LOAD_PATH.unshift(File.join(gem_folder, 'src/ruby/pb'))
require 'src/proto/grpc/testing/messages_pb'
require 'src/proto/grpc/testing/test_services_pb'

include Grpc::Testing

MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263A and non-BMP \u{1F608}\t\n".freeze
REQUEST_SIZE = 271_828
RESPONSE_SIZE = 314_159

# Yields a stub over a channel of its own, which is closed afterwards.
def with_stub(options)
  address = "#{options['server_host']}:#{options['server_port']}"
  # Channels of one process share connections unless told not to.
  arguments = { 'grpc.use_local_subchannel_pool' => 1 }
  channel = GRPC::Core::Channel.new(address, arguments, :this_channel_is_insecure)
  yield TestService::Stub.new(address, :this_channel_is_insecure, channel_override: channel)
ensure
  channel&.close
end

def special_status_message(options)
  status = EchoStatus.new(code: GRPC::Core::StatusCodes::UNKNOWN, message: MESSAGE)
  begin
    with_stub(options) { |stub| stub.unary_call(SimpleRequest.new(response_status: status)) }
  rescue GRPC::Unknown => e
    got = e.details.dup.force_encoding('UTF-8')
    raise "the message is #{got.inspect}, not #{MESSAGE.inspect}" unless got == MESSAGE

    return
  end
  raise 'the call ended with OK, not with UNKNOWN'
end

def large_unary(stub)
  body = ("\0" * REQUEST_SIZE).b
  reply = stub.unary_call(SimpleRequest.new(response_size: RESPONSE_SIZE, payload: Payload.new(body: body)))
  size = reply.payload.body.bytesize
  raise "a reply of #{size} octets, not #{RESPONSE_SIZE}" unless size == RESPONSE_SIZE
end

def rpc_soak(options)
  with_stub(options) do |stub|
    options['soak_iterations'].times { large_unary(stub) }
  end
end

def channel_soak(options)
  options['soak_iterations'].times { with_stub(options) { |stub| large_unary(stub) } }
end

options = { 'soak_iterations' => 10 }
OptionParser.new do |parser|
  %w[server_host server_port test_case use_tls].each do |name|
    parser.on("--#{name} VALUE") { |value| options[name] = value }
  end
  parser.on('--soak_iterations COUNT', Integer) { |value| options['soak_iterations'] = value }
end.parse!

cases = {
  'special_status_message' => method(:special_status_message),
  'rpc_soak' => method(:rpc_soak),
  'channel_soak' => method(:channel_soak)
}
cases.fetch(options['test_case']).call(options)
puts "#{options['test_case']}: OK"
