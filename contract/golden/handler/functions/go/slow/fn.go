package main

import "time"

func fn(data string, headers map[string]string) (string, error) {
	time.Sleep(500 * time.Millisecond)
	return data, nil
}
