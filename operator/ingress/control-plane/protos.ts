/** Envoy's API, from the .proto files that @grpc/grpc-js-xds ships (architecture decision 5); the package itself is not loaded. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import { breathe, ownTurn } from '../../turns.ts';

const files = [
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/accesslog/v3/als.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/access_loggers/file/v3/file.proto',
  'envoy/extensions/access_loggers/filters/cel/v3/cel.proto',
  'envoy/extensions/access_loggers/grpc/v3/als.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/filters/http/rbac/v3/rbac.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/network/connection_limit/v3/connection_limit.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit.proto',
  'envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
];

/**
 * Takes a few tenths of a second, in slices: the package's own loader takes them in one go. @throws Error naming the .proto that is
 * missing
 */
export async function loadProtos(): Promise<protobuf.Root> {
  const require = createRequire(import.meta.url);
  const descriptor = require('protobufjs/google/protobuf/descriptor.json') as DescriptorFile;
  protobuf.common('descriptor', descriptor.nested.google.nested.protobuf.nested);
  const folder = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  const roots = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((name) => join(folder, name));
  const root = new protobuf.Root();
  const wanted = new Set(files);
  // A set goes on over what is added meanwhile.
  for (const file of wanted) {
    for (const imported of add(root, file, roots)) wanted.add(imported);
    await breathe();
  }
  for (const one of messagesIn(root)) {
    one.resolveAll();
    await breathe();
  }
  root.resolveAll();
  await ownTurn();
  return root;
}

/** In packages, not in other messages: each is resolved with what it holds. */
function* messagesIn(space: protobuf.NamespaceBase): Generator<protobuf.Type, void> {
  for (const nested of space.nestedArray)
    if (nested instanceof protobuf.Type) yield nested;
    else if (nested instanceof protobuf.Namespace) yield* messagesIn(nested);
}

/** @returns what it imports */
function add(root: protobuf.Root, file: string, roots: readonly string[]): readonly string[] {
  const bundled = protobuf.common.get(file);
  if (bundled !== null) {
    root.addJSON(bundled.nested ?? {});
    return [];
  }
  const found = roots.map((directory) => join(directory, file)).find(existsSync);
  if (found === undefined) throw new Error(`${file} is not among the .proto files of @grpc/grpc-js-xds`);
  const { imports = [], weakImports = [] } = protobuf.parse(readFileSync(found, 'utf8'), root, { keepCase: true });
  return [...imports, ...weakImports];
}

interface DescriptorFile {
  readonly nested: {
    readonly google: { readonly nested: { readonly protobuf: { readonly nested: protobuf.IType } } };
  };
}
