/* Byte streams over nng's transports (ipc, tcp, tls+tcp by URL) in the daemon's own loop: a port
 * listens or dials, its streams receive and send bytes. stream.c is the only file that uses nng.
 *
 * It uses nng's streams, not its sockets: in nng 1.5.2 a socket that closes a pipe with pending
 * messages can wait for ever for a lost operation. Then nng_close hangs, or the thread that reaps
 * pipes, and no further closed pipe is reported.
 * */
#ifndef TOQUE_STREAM_H
#define TOQUE_STREAM_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/io/loop.h"

struct stream_port;
struct stream;

/* All called by the loop. Every one may call stream_close, none stream_port_close. */
struct stream_events {
    /* A stream is open. */
    void (*opened)(void *arg, struct stream *s);
    /* Received bytes that were not consumed yet. Returns how many are consumed; the rest is passed
     * again together with further bytes. *want may be set to the number of further bytes needed. */
    size_t (*bytes)(void *arg, struct stream *s, str got, size_t *want);
    /* It was closed by the peer or by an error; the pointer is invalid after the call. Not called
     * after stream_close. */
    void (*closed)(void *arg, struct stream *s);
    /* A dial failed. NULL for listeners, which accept again by themselves. */
    void (*failed)(void *arg);
    void *arg;
    /* Some of the waiting bytes were sent. May be NULL. */
    void (*taken)(void *arg, struct stream *s);
};

/* 0, or a fault that names the address. */
int stream_listen(struct stream_port **ret, struct loop *l, const char *url,
                  struct stream_events events, struct fault *f) MUST_CHECK;
/* Makes a port that can dial; nothing happens before stream_dial. */
int stream_dialer(struct stream_port **ret, struct loop *l, const char *url, u32 timeout_ms,
                  struct stream_events events, struct fault *f) MUST_CHECK;
/* One attempt: ends with `opened` or `failed`. Not while another one is pending. */
void stream_dial(struct stream_port *p);
/* Closes its streams, without events. NULL accepted. */
void stream_port_close(struct stream_port *p);

/* Who is at the other end, for the log: an address, or the process behind a Unix-domain socket. */
#define STREAM_NAME_SIZE 80
const char *stream_peer(const struct stream *s, char ret[STREAM_NAME_SIZE]);
/* The user of the process at the other end. False where the transport does not tell. */
bool stream_peer_uid(const struct stream *s, u64 *ret);

void stream_set_data(struct stream *s, void *data);
void *stream_data(const struct stream *s);
/* What is to be sent: append to it, then call stream_flush. */
struct buf *stream_out(struct stream *s);
/* Sends what was appended as soon as the stream accepts it. */
void stream_flush(struct stream *s);
/* Bytes that wait to be sent. */
u64 stream_waiting(const struct stream *s);
/* Ends it; the pointer must not be used any more. */
void stream_close(struct stream *s);

#endif
