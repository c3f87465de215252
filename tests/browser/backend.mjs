// The application behind the router, for the stories: an API, uploads and downloads, events, a WebSocket.
//
//   node backend.mjs
//
// listens on a free loopback port, on a second one for pages of other sites, prints both as one JSON
// line, and serves until its standard input ends.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const MEBIBYTE = 1024 * 1024;
/** Sent over and over as the download. */
const PIECE = Buffer.alloc(MEBIBYTE, Uint8Array.from({ length: 251 }, (_, place) => place));

function json(response, value, headers = {}) {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

async function upload(request, response) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of request) {
    hash.update(part);
    bytes += part.length;
  }
  json(response, { bytes, sha256: hash.digest('hex') });
}

async function download(response) {
  response.writeHead(200, {
    'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="orders.bin"',
  });
  for (let piece = 0; piece < 64; piece += 1) {
    if (!response.write(PIECE)) await once(response, 'drain');
  }
  response.end();
}

/** An event every tenth of a second, each with the time at which it was sent. */
function events(request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write(`data: ${Date.now()}\n\n`), 100);
  request.on('close', () => clearInterval(timer));
}

function orders(request, response) {
  const { 'x-tenant': tenant, 'x-user-name': user } = request.headers;
  request.resume();
  json(response, request.method === 'POST' ? { saved: true } : { tenant, user }, { 'x-total': '7' });
}

const backend = createServer((request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/api/upload') return void upload(request, response);
  if (path === '/api/export') return void download(response);
  if (path === '/api/events') return events(request, response);
  orders(request, response);
});

const sockets = new WebSocketServer({ server: backend, path: '/socket', handleProtocols: () => 'orders' });
sockets.on('connection', (socket, request) => {
  socket.send(`hello ${request.headers['x-tenant']}`);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', (error) => console.error(error.message));
});

/** A page of another site, which has scripts of its own. */
const elsewhere = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><title>Elsewhere</title><link rel=icon href="data:,"><h1>Another site</h1>');
});

const ports = [];
for (const server of [backend, elsewhere]) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push(server.address().port);
}
console.log(JSON.stringify(ports));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
