// The same work as issueBatch, by Go's jwt/v2: a user key, its JWT, the bytes of the .creds file.
//
// Reads a line of JSON (the account's seed, what a peel may do, with a place where its id stands), then a number a line; makes so
// many and answers with the microseconds of processor time that this took.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

type task struct {
	Seed      string
	Place     string
	Publish   []string
	Subscribe []string
	Responses *struct {
		Max int
		TTL int
	}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	if !in.Scan() {
		log.Fatal("no task")
	}
	var t task
	if err := json.Unmarshal(in.Bytes(), &t); err != nil {
		log.Fatal(err)
	}
	account, err := nkeys.FromSeed([]byte(t.Seed))
	if err != nil {
		log.Fatal(err)
	}
	made := 0
	for in.Scan() {
		count, err := strconv.Atoi(in.Text())
		if err != nil {
			log.Fatal(err)
		}
		start := processorTime()
		for i := 0; i < count; i++ {
			issue(account, fmt.Sprintf("web-server-%d", made), t)
			made++
		}
		fmt.Println(processorTime() - start)
	}
}

func issue(account nkeys.KeyPair, id string, t task) []byte {
	user, err := nkeys.CreateUser()
	if err != nil {
		log.Fatal(err)
	}
	publicKey, err := user.PublicKey()
	if err != nil {
		log.Fatal(err)
	}
	claims := jwt.NewUserClaims(publicKey)
	claims.Name = id
	for _, subject := range t.Publish {
		claims.Pub.Allow.Add(strings.ReplaceAll(subject, t.Place, id))
	}
	for _, subject := range t.Subscribe {
		claims.Sub.Allow.Add(strings.ReplaceAll(subject, t.Place, id))
	}
	if t.Responses != nil {
		claims.Resp = &jwt.ResponsePermission{
			MaxMsgs: t.Responses.Max,
			Expires: time.Duration(t.Responses.TTL) * time.Second,
		}
	}
	token, err := claims.Encode(account)
	if err != nil {
		log.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		log.Fatal(err)
	}
	file, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		log.Fatal(err)
	}
	return file
}

func processorTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}
