//! Objective-C with `NSURLSession`: a program that waits for the answer, which the session gives elsewhere.

use super::literal::objc;
use super::request::{Body, Request};

pub(super) fn render(request: &Request) -> String {
    let trust = request.ca_file.as_ref();
    let trust = trust
        .map(|path| {
            let path = objc(path);
            format!(
                "// This machine must trust the local authority first: {}\n",
                path.trim_start_matches('@')
            )
        })
        .unwrap_or_default();
    let headers = request.all_headers();
    let headers: String = headers
        .iter()
        .map(|(name, value)| {
            format!(
                "        [request setValue:{} forHTTPHeaderField:{}];\n",
                objc(value),
                objc(name)
            )
        })
        .collect();
    let body = request.body.as_ref().map(content).unwrap_or_default();
    format!(
        r#"// Save as request.m, then run: clang -fobjc-arc -framework Foundation request.m -o request && ./request
{trust}#import <Foundation/Foundation.h>

int main(void) {{
    @autoreleasepool {{
        NSURL *url = [NSURL URLWithString:{url}];
        NSMutableURLRequest *request = [NSMutableURLRequest requestWithURL:url];
        request.HTTPMethod = @"{method}";
{headers}{body}
        __block int exitCode = 1;
        dispatch_semaphore_t answered = dispatch_semaphore_create(0);
        NSURLSessionDataTask *task = [[NSURLSession sharedSession]
            dataTaskWithRequest:request
              completionHandler:^(NSData *data, NSURLResponse *response, NSError *error) {{
                if (error) {{
                    fprintf(stderr, "%s\n", error.localizedDescription.UTF8String);
                }} else {{
                    printf("%ld\n", (long)((NSHTTPURLResponse *)response).statusCode);
                    fwrite(data.bytes, 1, data.length, stdout);
                    printf("\n");
                    exitCode = 0;
                }}
                dispatch_semaphore_signal(answered);
              }}];
        [task resume];
        dispatch_semaphore_wait(answered, DISPATCH_TIME_FOREVER);
        return exitCode;
    }}
}}
"#,
        url = objc(request.url.as_str()),
        method = request.method.as_str(),
    )
}

/// A literal for each line: the compiler joins them.
fn content(body: &Body) -> String {
    let text = body.text(&[]);
    let lines: Vec<String> = text.lines().map(objc).collect();
    let lines = lines.join("\n                          ");
    format!(
        "        NSString *body = {lines};\n        request.HTTPBody = [body dataUsingEncoding:NSUTF8StringEncoding];\n"
    )
}
