;;; Waits for the diagnostics of a file, types over them, undoes it, asks what can be done, merges, and writes what was
;;; seen as JSON. -*- lexical-binding: t -*-
;;; Environment: FILE, SEEN (the file to write), TYPED_LINE (which line to change, from 1), TYPED (what it becomes),
;;; MERGED (the worktree to merge; what is asked in the minibuffer is read from standard input).

(require 'eglot)
(require 'flymake)
(require 'json)

(defconst seconds 60)

(defun seen-now ()
  "Every diagnostic of the buffer, by its first line."
  (sort (mapcar (lambda (one)
                  (vector (line-number-at-pos (flymake-diagnostic-beg one)) (flymake-diagnostic-text one)))
                (flymake-diagnostics))
        (lambda (one other) (< (aref one 0) (aref other 0)))))

(defun wait-for (what condition)
  "Let messages come until CONDITION holds, or end with WHAT it did not come to."
  (with-timeout (seconds (message "it did not come to this: %s\n%S" what (seen-now)) (kill-emacs 1))
    (while (not (funcall condition))
      (accept-process-output nil 0.05))))

(defun put-line (number text)
  "Make TEXT the line of this NUMBER, and send it, as Eglot does once nobody types."
  (goto-char (point-min))
  (forward-line (1- number))
  (delete-region (line-beginning-position) (line-end-position))
  (insert text)
  (eglot--signal-textDocument/didChange))

(setq eglot-connect-timeout seconds
      jsonrpc-default-request-timeout seconds)
(find-file (getenv "FILE"))
(apply #'eglot (eglot--guess-contact))
(let* ((line (string-to-number (getenv "TYPED_LINE")))
       (before (progn (goto-char (point-min)) (forward-line (1- line))
                      (buffer-substring (line-beginning-position) (line-end-position))))
       opened typed undone actions)
  (wait-for "diagnostics" #'seen-now)
  (setq opened (seen-now))
  (put-line line (getenv "TYPED"))
  (wait-for "other diagnostics while typing" (lambda () (and (seen-now) (not (equal (seen-now) opened)))))
  (setq typed (seen-now))
  (put-line line before)
  (wait-for "the first diagnostics again" (lambda () (equal (seen-now) opened)))
  (setq undone (seen-now))
  (setq actions (mapcar (lambda (one) (plist-get one :title))
                        (eglot-code-actions (line-beginning-position) (line-end-position))))
  (set-buffer-modified-p nil)
  ;; Answered within 4 s, with the outcome or that it goes on.
  (eglot-execute-command (eglot-current-server) "sidecar.merge" (vector (list :worktree (getenv "MERGED"))))
  (wait-for "the merge" (lambda () (string-match "^Merge" (shell-command-to-string "git log -1 --format=%s main"))))
  (with-temp-file (getenv "SEEN")
    (insert (json-encode (list :opened (vconcat opened) :typed (vconcat typed) :undone (vconcat undone)
                               :actions (vconcat actions))))))
(eglot-shutdown (eglot-current-server))
