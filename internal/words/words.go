// Package words writes counts in words.
package words

import "fmt"

// Count returns a number with its noun.
func Count[N ~int | ~int64 | ~uint32 | ~uint64](n N, noun string) string {
	return Plural(fmt.Sprint(n), noun)
}

// Plural is Count for a formatted number.
func Plural(count, noun string) string {
	if count == "1" {
		return count + " " + noun
	}
	return count + " " + noun + "s"
}
