'use strict';

// What a case needs to know of a call, as promises.

/** The server did not do what the case asks for. */
class Failure extends Error {}

/** Throws unless both are the same; lists are compared value by value. */
function check(what, got, expected) {
  if (JSON.stringify(got) !== JSON.stringify(expected)) {
    throw new Failure(`${what}: ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
  }
}

/** The call ended with this code and, if given, exactly this message. */
function checkStatus(status, code, message) {
  if (status.code !== code) {
    throw new Failure(`status ${status.code} ${JSON.stringify(status.details)}, expected ${code}`);
  }
  if (message !== undefined) {
    check('status message', status.details, message);
  }
}

/**
 * Starts a call that has one reply at most: `start` is given the callback and gives the call. The promise tells the reply,
 * if any, the initial metadata, if any, and the status with the trailers. It does not reject.
 */
function single(start) {
  return new Promise((resolve) => {
    const seen = { reply: undefined, initial: undefined };
    const call = start((_error, reply) => {
      seen.reply = reply;
    });
    call.on('metadata', (metadata) => {
      seen.initial = metadata;
    });
    call.on('status', (status) => resolve({ ...seen, status }));
  });
}

/** A call with a stream of replies. */
class Exchange {
  constructor(call) {
    this.call = call;
    this.initial = undefined;
    /** Octets of payload in the replies so far. */
    this.sizes = [];
    call.on('metadata', (metadata) => {
      this.initial = metadata;
    });
    call.on('data', (reply) => this.sizes.push(reply.payload?.body.length ?? 0));
    // The status says the same.
    call.on('error', () => {});
    const status = new Promise((resolve) => call.on('status', resolve));
    const end = new Promise((resolve) => call.on('end', resolve));
    /** The status with the trailers, once all replies are here. */
    this.ended = Promise.all([status, end]).then(([result]) => result);
  }

  /** Waits until `count` replies are here. */
  async replies(count) {
    const tooFew = this.ended.then((status) => {
      throw new Failure(`the stream ended with ${this.sizes.length} replies, status ${status.code} ${status.details}`);
    });
    // Usually nobody waits for it any more when the call ends.
    tooFew.catch(() => {});
    while (this.sizes.length < count) {
      await Promise.race([new Promise((resolve) => this.call.once('data', resolve)), tooFew]);
    }
  }
}

module.exports = { Exchange, Failure, check, checkStatus, single };
