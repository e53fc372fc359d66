package main

import (
	"fmt"
	"strings"
)

// Answers the header that the body names (in lower case) with its name and value as a function gets them.
func fn(data string, headers map[string]string) (string, error) {
	fmt.Println("asked for", data)
	for name, value := range headers {
		if strings.ToLower(name) == data {
			return name + "=" + value, nil
		}
	}
	return "", fmt.Errorf("no header %s", data)
}
