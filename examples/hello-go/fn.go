package main

import "os"

func fn(name string, headers map[string]string) (string, error) {
	greeting := os.Getenv("GREETING")
	if greeting == "" {
		greeting = "Hello"
	}
	if name == "" {
		name = "world"
	}
	return greeting + ", " + name, nil
}
