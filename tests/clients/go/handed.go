package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/management"
)

const chosen = "Correct horse of a ticket 7"

// direct follows no redirect, and is none that go-auth0 changes.
var direct = http.Client{
	Timeout:       15 * time.Second,
	Transport:     &http.Transport{},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func jobs(ctx context.Context, _ house, api *management.Management) error {
	connection, err := api.Connection.ReadByName(ctx, database)
	if err != nil {
		return err
	}
	email := "one@jobs.go.example.com"
	made := &management.Job{ConnectionID: connection.ID, ExternalID: auth0.String("go"),
		Users: []map[string]any{{"email": email}, {"email": "no address"}}}
	if err := api.Job.ImportUsers(ctx, made); err != nil {
		return err
	}
	if made.GetType() != "users_import" || made.GetStatus() != "pending" {
		return fmt.Errorf("%s is %s", made.GetType(), made.GetStatus())
	}
	done, err := api.Job.Read(ctx, made.GetID())
	if err != nil {
		return err
	}
	summary := done.GetSummary()
	if done.GetStatus() != "completed" || summary.GetInserted() != 1 || summary.GetFailed() != 1 {
		return fmt.Errorf("%s: %v", done.GetStatus(), summary)
	}
	failed, err := api.Job.ReadErrors(ctx, made.GetID())
	if err != nil || len(failed) != 1 || failed[0].Errors[0].Code != "INVALID_FORMAT" {
		return fmt.Errorf("%d errors: %w", len(failed), errOrNone(err))
	}
	wanted := &management.Job{ConnectionID: connection.ID, Format: auth0.String("json"), Limit: auth0.Int(1000)}
	if err := api.Job.ExportUsers(ctx, wanted); err != nil {
		return err
	}
	ready, err := api.Job.Read(ctx, wanted.GetID())
	if err != nil || ready.GetStatus() != "completed" {
		return fmt.Errorf("%s: %w", ready.GetStatus(), errOrNone(err))
	}
	if _, ticket, found := strings.Cut(ready.GetLocation(), "ticket="); found {
		secret(ticket)
	}
	answer, err := direct.Get(ready.GetLocation())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	isThere := false
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		var line struct{ Email string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		isThere = isThere || line.Email == email
	}
	if !isThere {
		return fmt.Errorf("%s is not in the file", email)
	}
	found, err := api.User.ListByEmail(ctx, email)
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d by address: %w", len(found), errOrNone(err))
	}
	if err := status(api.Job.VerifyEmail(ctx, &management.Job{UserID: found[0].ID}), 403); err != nil {
		return err
	}
	return api.User.Delete(ctx, found[0].GetID())
}

func tickets(ctx context.Context, at house, api *management.Management) error {
	secret(chosen)
	made, err := person(ctx, api, "ticket@go.example.com")
	if err != nil {
		return err
	}
	verify := &management.Ticket{UserID: made.ID, ResultURL: auth0.String("https://app.example.com/done"),
		IncludeEmailInRedirect: auth0.Bool(true)}
	if err := api.Ticket.VerifyEmail(ctx, verify); err != nil {
		return err
	}
	for _, success := range []string{"true", "false"} {
		answer, err := direct.Get(ticketOf(verify).String())
		if err != nil {
			return err
		}
		answer.Body.Close()
		location, err := answer.Location()
		if err != nil || answer.StatusCode != 302 || location.Query().Get("success") != success {
			return fmt.Errorf("%d to %v: %w", answer.StatusCode, location, errOrNone(err))
		}
	}
	read, err := api.User.Read(ctx, made.GetID())
	if err != nil || !read.GetEmailVerified() {
		return fmt.Errorf("verified: %w", errOrNone(err))
	}
	change := &management.Ticket{UserID: made.ID, TTLSec: auth0.Int(60)}
	if err := api.Ticket.ChangePassword(ctx, change); err != nil {
		return err
	}
	page := ticketOf(change)
	form := url.Values{"ticket": {page.Query().Get("ticket")}, "password": {chosen}, "again": {chosen}}
	page.RawQuery = ""
	for _, wanted := range []int{200, 410} {
		answer, err := direct.PostForm(page.String(), form)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != wanted {
			return fmt.Errorf("the form: %d", answer.StatusCode)
		}
	}
	if answer := signIn(at, made.GetEmail(), chosen); answer != 200 {
		return fmt.Errorf("the new password: %d", answer)
	}
	return api.User.Delete(ctx, made.GetID())
}

// ticketOf is the link of a ticket, which is a secret.
func ticketOf(made *management.Ticket) *url.URL {
	link, err := url.Parse(made.GetTicket())
	if err != nil {
		return &url.URL{}
	}
	secret(link.Query().Get("ticket"))
	link.Fragment = ""
	return link
}
