package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

var (
	passed, failed int
	secrets        = map[string]bool{}
	// Several callers remember secrets at once.
	remembering sync.Mutex
)

// check runs one promise and prints ok, or FAIL with the reason, every known secret masked.
func check(name string, body func() error) {
	err := body()
	if err == nil {
		passed++
		fmt.Println("ok    " + name)
		return
	}
	failed++
	reason := err.Error()
	for value := range secrets {
		reason = strings.ReplaceAll(reason, value, "[secret]")
	}
	fmt.Printf("FAIL  %s: %s\n", name, strings.ReplaceAll(reason, "\n", " "))
}

// secret remembers a value, so that it is masked here and looked for in every log by scripts/test.
func secret(value string) string {
	remembering.Lock()
	defer remembering.Unlock()
	file := os.Getenv("TOKENHOUSE_TEST_SECRETS")
	if len(value) < 8 || secrets[value] {
		return value
	}
	secrets[value] = true
	if file == "" {
		return value
	}
	if list, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		fmt.Fprintln(list, value)
		list.Close()
	}
	return value
}
