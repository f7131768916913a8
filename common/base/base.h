/* Basic definitions for every file: types, attributes, small macros, and the banned string
 * functions. Include it first, directly or through another header of common/. */
#ifndef TOQUE_BASE_H
#define TOQUE_BASE_H

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef NDEBUG
#error "asserts guard invariants in every build: do not define NDEBUG"
#endif

#define TOQUE_VERSION "0.1.0"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* The struct that contains `*ptr` as its member `member`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN               __attribute__((noreturn))
#define UNUSED                 __attribute__((unused))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)

/* Functions that do not know the size of their destination. */
#pragma GCC poison strcpy strcat sprintf vsprintf gets strncpy strncat strtok

#endif
