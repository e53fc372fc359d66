package main

import "fmt"

func fn(data string, headers map[string]string) (string, error) {
	return fmt.Sprintf("%s, asked with %v", data, headers), nil
}
