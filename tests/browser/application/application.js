// What the application does: an API behind a CSRF token, an upload, events, a WebSocket.

const at = (id) => document.getElementById(id);
const MEBIBYTE = 1024 * 1024;
const UPLOAD = 200;

/** The token that unsafe calls need; asked for once. */
let token;
function csrf() {
  token ??= fetch('/api/orders', { headers: { 'x-csrf-token': 'fetch' } })
    .then((response) => response.headers.get('x-csrf-token'));
  return token;
}

async function save() {
  const headers = { 'x-csrf-token': await csrf(), 'content-type': 'application/json' };
  const response = await fetch('/api/orders', { method: 'POST', headers, body: '{"item": "chair"}' });
  at('saved').textContent = `${response.status} ${await response.text()}`;
}

/** What is sent: the same mebibyte over and over, which the backend knows as well. */
function content() {
  const piece = new Uint8Array(MEBIBYTE).map((_, place) => place % 251);
  return new Blob(Array(UPLOAD).fill(piece));
}

async function upload() {
  const request = new XMLHttpRequest();
  request.upload.onprogress = (event) => { at('sent').value = event.loaded / event.total; };
  request.onloadend = () => { at('uploaded').textContent = `${request.status} ${request.responseText}`; };
  request.open('POST', '/api/upload');
  request.setRequestHeader('x-csrf-token', await csrf());
  request.send(content());
}

function follow() {
  const events = new EventSource('/api/events');
  const seen = [];
  events.onmessage = (event) => {
    // How long it was under way, by the one clock that both ends share.
    seen.push(Date.now() - Number(event.data));
    at('events').textContent = `${seen.length}: ${seen.join(', ')} ms`;
    if (seen.length === 5) events.close();
  };
}

function connect() {
  const socket = new WebSocket(`ws://${location.host}/socket`, 'orders');
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { at('socket').textContent = `open, ${socket.protocol}`; };
  socket.onclose = (event) => { at('socket').textContent = `closed, ${event.code}`; };
  socket.onmessage = ({ data }) => {
    at('heard').textContent += typeof data === 'string' ? ` ${data}` : ` ${data.byteLength} bytes`;
  };
  at('greet').onclick = () => {
    at('heard').textContent = '';
    socket.send('hello');
    socket.send(new Uint8Array(MEBIBYTE));
  };
}

async function introduce() {
  const { tenant, user } = await (await fetch('/api/orders')).json();
  [at('tenant').textContent, at('user').textContent] = [tenant, user];
}

at('save').onclick = save;
at('upload').onclick = upload;
introduce().then(follow).then(connect);
