package main

import (
	"maps"
	"slices"
	"strings"
)

func fn(data string, headers map[string]string) (string, error) {
	seen := map[string]string{}
	for name, value := range headers {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-tinyfaas-") {
			seen[name] = value
		}
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		lines.WriteString(name + ": " + seen[name] + "\n")
	}
	return lines.String(), nil
}
