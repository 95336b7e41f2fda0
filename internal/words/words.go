// Package words writes counts and lists in words.
package words

import (
	"fmt"
	"strings"
)

// Count returns a number with its noun.
func Count[N ~int | ~int64 | ~uint32 | ~uint64](n N, noun string) string {
	return Plural(fmt.Sprint(n), noun)
}

// Plural is Count for a formatted number.
func Plural(count, noun string) string {
	if count == "1" {
		return count + " " + noun
	}
	if strings.HasSuffix(noun, "ch") {
		noun += "e"
	}
	return count + " " + noun + "s"
}

// Join returns what text makes of each element of a list, with a separator between them.
func Join[T any](list []T, separator string, text func(T) string) string {
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = text(element)
	}
	return strings.Join(texts, separator)
}

// Cut returns the first characters of a text, and … where there are more.
func Cut(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// atMost is how many elements First shows.
const atMost = 5

// First is Join for a list that may be long: it names the first elements, and counts the others.
func First[T any](list []T, separator string, text func(T) string) string {
	if len(list) <= atMost+1 {
		return Join(list, separator, text)
	}
	return Join(list[:atMost], separator, text) + fmt.Sprintf(" and %d more", len(list)-atMost)
}

// OneOf returns a list of which one is to be chosen: "a", "a or b", "a, b or c".
func OneOf(names []string) string {
	last := len(names) - 1
	if last <= 0 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
