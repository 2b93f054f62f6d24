import { useEffect, useState } from "react";
import { addNote, listNotes } from "./api.js";

export function Notes() {
  const [notes, setNotes] = useState([]);
  const [text, setText] = useState("");
  const [token, setToken] = useState("");
  const [needsToken, setNeedsToken] = useState(false);
  const [error, setError] = useState("");

  useEffect(() => {
    listNotes().then(setNotes, (err) => setError(err.message));
  }, []);

  async function submit(event) {
    event.preventDefault();
    try {
      const note = await addNote(text, token);
      setNotes((earlier) => [note, ...earlier]);
      setText("");
      setError("");
    } catch (err) {
      if (err.status === 401) setNeedsToken(true);
      setError(err.message);
    }
  }

  return (
    <section aria-labelledby="notes">
      <h2 id="notes">Notes</h2>
      <form onSubmit={submit}>
        <input aria-label="New note" value={text} onChange={(e) => setText(e.target.value)} maxLength={2000} required />
        {needsToken && (
          <label>
            Token{" "}
            <input type="password" autoComplete="off" value={token} onChange={(e) => setToken(e.target.value)} required />
          </label>
        )}
        <button>Add</button>
      </form>
      {error && <p role="alert">{error}</p>}
      <ul>
        {notes.map((note) => (
          <li key={note.id}>
            {note.text} <time dateTime={note.created}>{new Date(note.created).toLocaleString()}</time>
          </li>
        ))}
      </ul>
    </section>
  );
}
