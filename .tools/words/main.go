// Words reports phrases that pmctl avoids, and what to write instead. It reads pages and
// scripts whole, and of Go the comments, strings and names. words.txt lists the phrases.
package main

import (
	_ "embed"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed words.txt
var list string

var files = []string{"*.go", "*.md", "*.txtar", "*.1", "*.proto", "*.sol", "*.yml", "*.yaml", "*.json", "Makefile", "packaging", ".ci", ":!*package-lock.json"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: words ROOT")
		os.Exit(2)
	}
	found, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(2)
	}
	if found > 0 {
		fmt.Fprintf(os.Stderr, "%d phrases to reword, see .tools/words/words.txt\n", found)
		os.Exit(1)
	}
}

type phrase struct {
	pattern *regexp.Regexp
	instead string
}

// chunk is text that begins on a line.
type chunk struct {
	line int
	text string
}

// check prints every phrase found in the repository at root.
func check(root string) (found int, err error) {
	phrases, err := parse(list)
	if err != nil {
		return 0, err
	}
	git := exec.Command("git", append([]string{"-C", root, "ls-files", "--"}, files...)...)
	git.Stderr = os.Stderr
	names, err := git.Output()
	if err != nil {
		return 0, fmt.Errorf("git ls-files: %w", err)
	}
	for _, name := range strings.Fields(string(names)) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return found, err
		}
		chunks := []chunk{{1, string(text)}}
		if path.Ext(name) == ".go" {
			chunks = goChunks(text)
		}
		for _, c := range chunks {
			for _, p := range phrases {
				for _, at := range p.pattern.FindAllStringIndex(c.text, -1) {
					words := strings.Join(strings.Fields(c.text[at[0]:at[1]]), " ")
					fmt.Printf("%s:%d: %q: %s\n", name, c.line+strings.Count(c.text[:at[0]], "\n"), words, p.instead)
					found++
				}
			}
		}
	}
	return found, nil
}

// parse reads lines of "phrase | what to write instead", where the phrase is a regular
// expression that begins at a word.
func parse(list string) (phrases []phrase, err error) {
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words, instead, ok := strings.Cut(line, " | ")
		if !ok {
			return nil, fmt.Errorf("no \" | \" in %q", line)
		}
		// A phrase may wrap, with a comment's marker on the next line.
		pattern, err := regexp.Compile(`(?i)\b(?:` + strings.ReplaceAll(words, " ", `[\s/#*>]+`) + `)`)
		if err != nil {
			return nil, err
		}
		phrases = append(phrases, phrase{pattern, instead})
	}
	return phrases, nil
}

var capital = regexp.MustCompile(`[A-Z]`)

// goChunks returns a Go file's comments, strings and names. Names are split into words, and
// comments on lines in a row joined.
func goChunks(src []byte) (chunks []chunk) {
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	comment := 0 // the line on which the comment in the last chunk would continue
	for {
		pos, tok, text := s.Scan()
		line := file.Line(pos)
		switch {
		case tok == token.EOF:
			return chunks
		case tok == token.COMMENT && line == comment:
			chunks[len(chunks)-1].text += "\n" + text
		case tok == token.COMMENT, tok == token.STRING:
			chunks = append(chunks, chunk{line, text})
		case tok == token.IDENT:
			chunks = append(chunks, chunk{line, capital.ReplaceAllString(text, " $0")})
		}
		comment = 0
		if tok == token.COMMENT {
			comment = line + 1
		}
	}
}
