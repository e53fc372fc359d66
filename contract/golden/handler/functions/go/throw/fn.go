package main

import "errors"

func fn(data string, headers map[string]string) (string, error) {
	return "", errors.New(data)
}
