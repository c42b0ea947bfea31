/* What Debian's GNUstep lacks and Apple's Foundation has: NSURLSession, here on NSURLConnection, and the semaphores of
   libdispatch, here on POSIX's. It holds the snippets' syntax, literals and requests; not Apple's class, and not
   certificates, which GNUstep does not check. */

#import <Foundation/Foundation.h>
#include <Block.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

typedef sem_t *dispatch_semaphore_t;
#define DISPATCH_TIME_FOREVER (~0ull)

static inline dispatch_semaphore_t dispatch_semaphore_create(long value)
{
  sem_t *semaphore = malloc(sizeof *semaphore);
  sem_init(semaphore, 0, (unsigned)value);
  return semaphore;
}

static inline void dispatch_semaphore_signal(dispatch_semaphore_t semaphore)
{
  sem_post(semaphore);
}

static inline void dispatch_semaphore_wait(dispatch_semaphore_t semaphore, unsigned long long forever)
{
  (void)forever;
  sem_wait(semaphore);
}

typedef void (^Answered)(NSData *data, NSURLResponse *response, NSError *error);

@interface NSURLSessionDataTask : NSObject
{
  NSURLRequest *sent;
  Answered answered;
}
- (id)initWithRequest:(NSURLRequest *)request answered:(Answered)handler;
- (void)resume;
@end

@implementation NSURLSessionDataTask
- (id)initWithRequest:(NSURLRequest *)request answered:(Answered)handler
{
  if ((self = [super init]))
    {
      sent = [request retain];
      answered = Block_copy(handler);
    }
  return self;
}

- (void)resume
{
  NSURLResponse *response = nil;
  NSError *error = nil;
  NSData *data = [NSURLConnection sendSynchronousRequest:sent returningResponse:&response error:&error];
  answered(data, response, error);
}
@end

@interface NSURLSession : NSObject
+ (NSURLSession *)sharedSession;
- (NSURLSessionDataTask *)dataTaskWithRequest:(NSURLRequest *)request completionHandler:(Answered)handler;
@end

@implementation NSURLSession
+ (NSURLSession *)sharedSession
{
  return [[self new] autorelease];
}

- (NSURLSessionDataTask *)dataTaskWithRequest:(NSURLRequest *)request completionHandler:(Answered)handler
{
  return [[[NSURLSessionDataTask alloc] initWithRequest:request answered:handler] autorelease];
}
@end
