// Hello is the least that a program on cobra can be: what pmctl's start is measured
// against.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "hello"}
	root.AddCommand(&cobra.Command{Use: "version", Run: func(*cobra.Command, []string) { fmt.Println("hello") }})
	if root.Execute() != nil {
		os.Exit(1)
	}
}
